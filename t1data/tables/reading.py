"""How a text file or workbook is read, as a caller says it and as a journal keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from t1data.tables.records import Source
from t1data.tables.source import open_source


@dataclass(frozen=True)
class Reading:
    """What is said of a file; each is found in the file where it is left out.

    Attributes
    ----------
    encoding, delimiter, sheet : str, optional
        As `t1data.tables.open_source` takes them.

    Examples
    --------
    >>> Reading.of({"path": "ids.csv", **Reading("cp1252", ";").recipe()})
    Reading(encoding='cp1252', delimiter=';', sheet=None)
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None

    def open(self, data: Any) -> Source:
        """Open an input; `InputError` where what is said is not about it, or does not fit it."""
        return open_source(data, encoding=self.encoding, delimiter=self.delimiter, sheet=self.sheet)

    def recipe(self) -> dict[str, Any]:
        """Return what a journal keeps, so that a resume reads the file alike."""
        return {"reading": asdict(self)}

    @classmethod
    def of(cls, recipe: Mapping[str, Any]) -> Reading:
        """Return how a run read its file; journals of older runs, which could not be told, say nothing of it."""
        return cls(**recipe.get("reading", {}))


AS_FOUND = Reading()
