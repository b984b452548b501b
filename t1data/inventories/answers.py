"""The answers that a reading run kept, as tidy tables: all at once, or to files in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from t1data.errors import InputError
from t1data.inventories.custom import kinds_of
from t1data.inventories.files import table_files
from t1data.inventories.tidy import Tidy
from t1data.journal.answers import answers_by_id, answers_by_row
from t1data.journal.outcomes import Input, head_of
from t1data.journal.reads import reading

AT_ONCE, MOST_BYTES = 2000, 4 << 20  # customers, and bytes of answers, that are held while files are written
_ENTITIES = {"profiles": "CustomerProfile", "coupons": "Coupon", "referrals": "Referral", "giveaways": "Giveaway"}

Found = tuple[str, bytes]
_Name = TypeVar("_Name")


@dataclass(frozen=True)
class Answers:
    """What a run read.

    Attributes
    ----------
    journal : Path
        Where the answers are kept.
    source : Input or None
        The ids are read from it again, since an answer need not name its customer.
    """

    journal: Path
    source: Input | None

    def tables(self) -> dict[str, pa.Table]:
        """Return all tables, in memory."""
        return self._gathered(self).tables()

    def write(self, folder: Path, *, overwrite: bool) -> None:
        """Write one Parquet file a table, each whole or not at all.

        The answers are read twice: every part of a file has the same columns, and so has a customer's attribute that
        only the last one has.
        """
        found = iter(self)
        ahead = portions(answers_by_row(self.journal))
        kinds = kinds_of(([body for _, body in portion] for portion in ahead), self._declared)
        empty = self._gathered([]).tables(kinds=kinds)
        with table_files(folder, {name: table.schema for name, table in empty.items()}, overwrite=overwrite) as files:
            for portion in portions(found):
                for name, table in self._gathered(portion).tables(kinds=kinds).items():
                    files[name].add(table)

    def __iter__(self) -> Iterator[Found]:
        """Yield each customer's id and inventory, in the order of the input."""
        if self.source is None:
            raise InputError(
                "the customers' ids are not in the journal, and the input is no longer there as it was; give it:"
                " open_run(run, data=...)"
            )
        return answers_by_id(self.journal, self.source)

    def _gathered(self, found: Iterable[Found]) -> Tidy:
        tidy = Tidy(declared=self._declared)
        for integration_id, body in found:
            tidy.read(integration_id, body)
        return tidy

    @cached_property
    def _declared(self) -> dict[str, Mapping[str, str]]:
        with reading(self.journal) as db:
            types = head_of(db, self.journal).facts.get("types", {})
        return {table: types.get(entity, {}) for table, entity in _ENTITIES.items()}


def portions(found: Iterable[tuple[_Name, bytes]]) -> Iterator[list[tuple[_Name, bytes]]]:
    """Yield answers some at a time: `AT_ONCE` of them, or fewer that have `MOST_BYTES`."""
    portion: list[tuple[_Name, bytes]] = []
    size = 0
    for name, body in found:
        portion.append((name, body))
        size += len(body)
        if len(portion) == AT_ONCE or size >= MOST_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion
