"""Whether evidence is whole, and whether somebody is in it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t1data.bulk.named import name_rows
from t1data.erasure.chain import START, check_chain
from t1data.erasure.evidence import CUSTOMER, FOOT, HEAD, hash_under, place_of
from t1data.errors import InputError
from t1data.journal.runs import Run
from t1data.tables.reading import AS_FOUND, Reading
from t1data.words import many

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ["integration_id", "found", "outcome", "status", "verification", "date", "line"]
_MOST_FAULTS = 100


@dataclass(frozen=True)
class EvidenceReport:
    """What `verify_evidence` has found.

    Attributes
    ----------
    path : Path
        The file.
    run, base_url, environment, operator : str or None
        As the head of the file says.
    customers : int
        Customers in it.
    erased : int
        Those of them whose attributes were seen to be gone.
    faults : tuple of str
        What was changed, taken out or moved, a sentence each; the first 100.
    seal : str
        The chain of the last line. Kept elsewhere, it shows later that the whole file is the same.
    ids : DataFrame
        One line an id that was asked for: ``integration_id, found, outcome, status, verification, date, line``.
    """

    path: Path
    run: str | None
    base_url: str | None
    environment: str | None
    operator: str | None
    customers: int
    erased: int
    faults: tuple[str, ...]
    seal: str
    ids: pd.DataFrame = field(repr=False)

    @property
    def holds(self) -> bool:
        """Whether no line was changed, taken out or moved."""
        return not self.faults

    @property
    def proves_all(self) -> bool:
        """Whether the evidence holds, and every id that was asked for is in it as erased."""
        return self.holds and self._erased_of_asked == len(self.ids)

    @property
    def _erased_of_asked(self) -> int:
        return int((self.ids["outcome"] == "accepted").sum())

    def to_dict(self) -> dict[str, Any]:
        """Return the result for machines; no ids are in it."""
        names = ("run", "base_url", "environment", "operator", "customers", "erased", "seal", "holds")
        asked = {"asked": len(self.ids), "found": int(self.ids["found"].sum())}
        return {"path": str(self.path), **{name: getattr(self, name) for name in names}, **asked} | {
            "faults": list(self.faults)
        }

    def lines(self) -> list[str]:
        """Return the result in words, a line for each thing to know."""
        where = f"{self.base_url} ({self.environment or 'unknown'} environment)"
        said = [
            f"{self.path.name}: {'whole and unchanged' if self.holds else 'NOT as it was written'}",
            f"run {self.run} by {self.operator} at {where}",
            f"{many(self.customers, 'customer')}, {self.erased:,} of them seen to be erased",
        ]
        said += self.faults
        if len(self.ids):
            found, erased = int(self.ids["found"].sum()), self._erased_of_asked
            said.append(f"of {many(len(self.ids), 'id')} asked for, it has {found:,}, {erased:,} as erased")
        return [*said, f"seal {self.seal}"]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        return f"<EvidenceReport {self.lines()[0]}: {self.erased:,} of {many(self.customers, 'customer')} erased>"

    def _repr_html_(self) -> str:
        first, *rest = (html.escape(line) for line in self.lines())
        return f"<div><p><b>Evidence</b> · {first}</p><ul>{''.join(f'<li>{line}</li>' for line in rest)}</ul></div>"


def verify_evidence(
    evidence: str | Path | Run,
    *,
    ids: Any = None,
    id: str = "integration_id",
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    seal: str | None = None,
) -> EvidenceReport:
    """Tell whether evidence of an erasure is whole, and whether somebody is in it; no network is needed.

    Any line that was changed, taken out, added or moved is told. Somebody who writes a whole new file with a chain of
    its own can only be told by the seal, if it was kept elsewhere.

    Parameters
    ----------
    evidence : path or Run
        The file; or the run, when its evidence lies where the run put it.
    ids : path, DataFrame, Series, list of str, optional
        Whom to look for.
    id : str
        The column of the ids.
    encoding, delimiter, sheet : str, optional
        How a file is read, as for `upsert_profiles`.
    seal : str, optional
        The seal that the file had.

    Raises
    ------
    InputError
        There is no such file, or the ids cannot be read.
    """
    path = place_of(evidence.journal) if isinstance(evidence, Run) else Path(evidence)
    reader = _Reader(path)
    asked = list(_asked(ids, id, Reading(encoding, delimiter, sheet)))
    faults = list(reader.read(asked))
    if seal is not None and seal != reader.seal:
        faults.append("the seal is another one: this is not the file that it was taken from")
    head = reader.head
    names = ("run", "base_url", "environment", "operator")
    said = {name: head.get(name) for name in names}
    report = reader.frame(asked)
    found, erased = reader.customers, reader.erased
    return EvidenceReport(
        path, **said, customers=found, erased=erased, faults=tuple(faults[:_MOST_FAULTS]), seal=reader.seal, ids=report
    )


def _asked(ids: Any, column: str, reading: Reading) -> Iterator[str]:
    if ids is None and reading != AS_FOUND:
        raise InputError("encoding, delimiter and sheet say how ids is read, and it was not given")
    if ids is None:
        return
    for _, names in name_rows(ids, id=column, allow_suspect_ids=True, reading=reading).input().ids():
        yield from names.drop_null().to_pylist()


class _Reader:
    """Reads a file of evidence once, in bounded memory, and notes what is said of those who are asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.head: dict[str, Any] = {}
        self.seal = START
        self.customers = self.erased = 0
        self._said: dict[str, dict[str, Any]] = {}

    @property
    def _salt(self) -> str:
        """The salt of the ids; none when it is not what it was, and then nobody is found."""
        salt = self.head.get("salt")
        return salt if isinstance(salt, str) and re.fullmatch("[0-9a-f]{64}", salt) else ""

    def read(self, asked: list[str]) -> Iterator[str]:
        """Yield what is wrong, in words."""
        last: str | None = None
        wanted: set[str] = set()
        counted = 0
        for record, chain, fault in check_chain(self._path):
            self.seal = chain
            kind = record.get("record")
            if fault:
                yield fault
            if kind == HEAD and not self.head:
                self.head = record
                wanted = {hash_under(self._salt, id_) for id_ in asked}
            elif kind == CUSTOMER:
                self._count(record, wanted)
            counted = record.get("customers", counted) if kind == FOOT else counted
            last = kind
        yield from self._of_the_whole(last, counted)

    def _of_the_whole(self, last: str | None, counted: int) -> Iterator[str]:
        if not self.head and not self.customers:
            raise InputError(f"{self._path} is no evidence of an erasure")
        if not self.head:
            yield "the head is missing"
        if last != FOOT:
            yield "the end is missing: lines were cut off or added"
        elif counted != self.customers:
            yield f"the last line counts {counted} customers, and there are {self.customers:,}"

    def _count(self, record: dict[str, Any], wanted: set[str]) -> None:
        self.customers += 1
        self.erased += record.get("outcome") == "accepted"
        if isinstance(record.get("id"), str) and record["id"] in wanted:
            self._said[record["id"]] = record

    def frame(self, asked: list[str]) -> pd.DataFrame:
        """Return what the file says of those who were asked for."""
        import pandas as pd

        lines = []
        for id_ in asked:
            said = self._said.get(hash_under(self._salt, id_), {})
            lines.append([id_, bool(said), *(said.get(name) for name in _COLUMNS[2:])])
        frame = pd.DataFrame(lines, columns=_COLUMNS)
        for name in ("status", "line"):  # somebody may have written anything there
            frame[name] = pd.to_numeric(frame[name], errors="coerce").astype("Int64")
        return frame.astype(dict.fromkeys(["integration_id", "outcome", "verification", "date"], "string"))
