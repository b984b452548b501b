"""The answers that a reading run kept, as tidy tables: all at once, or to files in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from t1data.errors import InputError
from t1data.inventories.attributes import Kinds
from t1data.inventories.columns import PARTS
from t1data.inventories.tidy import Tidy
from t1data.journal.answers import IdsByRow, answers_by_row
from t1data.journal.outcomes import Input, head_of
from t1data.journal.reads import reading
from t1data.writing import replacing

AT_ONCE = 2000  # customers that are held in memory while files are written
_ENTITIES = {"profiles": "CustomerProfile", "coupons": "Coupon", "referrals": "Referral", "giveaways": "Giveaway"}

Found = tuple[str, bytes]


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
        kinds = self._kinds()
        empty = self._gathered([]).tables(kinds=kinds)
        with ExitStack() as stack:
            parts = {
                name: stack.enter_context(replacing(folder / f"{name}.parquet", overwrite=overwrite)) for name in PARTS
            }
            with ExitStack() as writers:
                out = {name: writers.enter_context(pq.ParquetWriter(parts[name], empty[name].schema)) for name in PARTS}
                for tidy in self._in_portions():
                    for name, table in tidy.tables(kinds=kinds).items():
                        out[name].write_table(table)

    def __iter__(self) -> Iterator[Found]:
        """Yield each customer's id and inventory, in the order of the input."""
        if self.source is None:
            raise InputError(
                "the customers' ids are not in the journal, and the input is no longer there as it was; give it:"
                " open_run(run, data=...)"
            )
        ids = IdsByRow(self.source)
        for row, body in answers_by_row(self.journal):
            yield ids.of(row), body

    def _gathered(self, found: Iterable[Found]) -> Tidy:
        tidy = Tidy(declared=self._declared)
        for integration_id, body in found:
            tidy.read(integration_id, body)
        return tidy

    def _in_portions(self) -> Iterator[Tidy]:
        found = iter(self)
        while portion := list(islice(found, AT_ONCE)):
            yield self._gathered(portion)

    def _kinds(self) -> dict[str, Kinds]:
        kinds: dict[str, Kinds] = {name: {} for name in PARTS}
        for tidy in self._in_portions():
            for name, seen in tidy.kinds().items():
                for attribute, more in seen.items():
                    kinds[name].setdefault(attribute, set()).update(more)
        return kinds

    @cached_property
    def _declared(self) -> dict[str, Mapping[str, str]]:
        with reading(self.journal) as db:
            types = head_of(db, self.journal).facts.get("types", {})
        return {table: types.get(entity, {}) for table, entity in _ENTITIES.items()}
