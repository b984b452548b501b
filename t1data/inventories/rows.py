"""The rows of one table: their cells as they come, and columns of them some hundred customers at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from t1data.bulk.cells import typed
from t1data.inventories import records
from t1data.inventories.attributes import Attributes, Kinds
from t1data.inventories.columns import PARTS, SCHEMAS
from t1data.inventories.records import Kind, Use


@dataclass(frozen=True, slots=True)
class Slot:
    """What becomes of one cell of each row, and by what name it stands in `extra`, if it does."""

    use: Use
    name: str
    prefix: str = ""


def _slots(kind: Kind, prefix: str = "") -> list[Slot]:
    return [Slot(use, prefix + name, prefix) for name, use in kind.cells.items()]


def _cells(table: str, part: int = 0) -> list[Slot]:
    return [Slot(field, field.wire) for field in PARTS[table][part]]


_LEDGER = [
    *_cells("loyalty", 1),
    *_slots(records.LEDGER, "ledger."),
    *_slots(records.TIER, "ledger.currentTier."),  # so that fields of one name do not meet in `extra`
]
_SLOTS: Final[Mapping[str, Sequence[Slot]]] = {
    "profiles": _slots(records.PROFILE),
    "audiences": _slots(records.AUDIENCE),
    "referrals": _slots(records.REFERRAL),
    "referred_customers": _cells("referred_customers"),
    "coupons": _slots(records.COUPON),
    "coupon_limits": [*_cells("coupon_limits"), Slot("rest", "")],
    "loyalty": [*_slots(records.PROGRAM), *_LEDGER],
    "loyalty_cards": [*_slots(records.CARD), *_LEDGER],
    "giveaways": _slots(records.GIVEAWAY),
    "achievements": _slots(records.ACHIEVEMENT),
}


class Rows:
    """Gathers the rows of one table.

    Parameters
    ----------
    table : str
        A name in `PARTS`.
    declared : mapping of str to str
        Attribute → type in Talon.One's words, as far as the account tells it.
    """

    def __init__(self, table: str, declared: Mapping[str, str]) -> None:
        self._slots, self._schema = _SLOTS[table], SCHEMAS[table]
        self._attributes = Attributes(declared)
        self._made: list[pa.Table] = []
        self._ids: list[str] = []
        self._cells: list[Any] = []

    def add(self, integration_id: str, cells: Iterable[Any]) -> None:
        """Add a row."""
        self._ids.append(integration_id)
        self._cells.extend(cells)

    def settle(self) -> None:
        """Make columns of the rows that were added since the last time."""
        if self._ids:
            ids, cells, self._ids, self._cells = self._ids, self._cells, [], []
            self._made.append(self._table(ids, cells))

    def kinds(self) -> Kinds:
        """Return attribute → the kinds of value that were seen."""
        return self._attributes.kinds

    def table(self, kinds: Kinds) -> pa.Table:
        """Return all settled rows, with a column for each attribute in `kinds`."""
        fixed = pa.concat_tables([self._schema.empty_table(), *self._made])
        columns = dict(zip(fixed.column_names, fixed.columns, strict=True))
        return pa.table(columns | self._attributes.columns(kinds))

    def _table(self, ids: list[str], cells: list[Any]) -> pa.Table:
        columns, extra, custom = [pa.array(ids, pa.string())], _Extra(), list[Any]()
        for place, slot in enumerate(self._slots):
            values = cells[place :: len(self._slots)]
            match slot.use:
                case "attributes":
                    custom = values
                case "beside":
                    extra.add(slot.name, enumerate(values))
                case "rest":
                    extra.add_all(slot.prefix, values)
                case field:
                    column, odd = typed(values, field.kind)
                    columns.append(column)
                    extra.add(slot.name, ((at, values[at]) for at in odd))
        self._attributes.add(custom or extra.of("attributes", len(ids)))
        return pa.Table.from_arrays([*columns, extra.column(len(ids))], schema=self._schema)


class _Extra:
    """What rows say beside their columns."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[str, Any]] = {}

    def add(self, name: str, values: Iterable[tuple[int, Any]]) -> None:
        for at, value in values:
            if value is not None:
                self._rows.setdefault(at, {})[name] = value

    def add_all(self, prefix: str, values: Sequence[Mapping[str, Any] | None]) -> None:
        if any(values):
            for at, rest in enumerate(values):
                for name, value in (rest or {}).items():
                    self._rows.setdefault(at, {})[prefix + name] = value

    def of(self, name: str, rows: int) -> list[Any]:
        return [self._rows.get(at, {}).get(name) for at in range(rows)] if self._rows else [None] * rows

    def column(self, rows: int) -> pa.Array:
        if not self._rows:
            return pa.nulls(rows, pa.string())
        texts = [json.dumps(self._rows[at], sort_keys=True) if at in self._rows else None for at in range(rows)]
        return pa.array(texts, pa.string())
