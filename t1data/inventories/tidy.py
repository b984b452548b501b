"""Answers to tidy tables: one row a thing, the customer's id first, nothing dropped and nothing bent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from t1data.inventories.attributes import Kinds, column, column_types, see_kinds
from t1data.inventories.cells import typed
from t1data.inventories.columns import PARTS, Field

Record = Mapping[str, Any]
Nested = frozenset[str]


class Tidy:
    """Gathers the rows of all tables from one inventory after the other.

    Examples
    --------
    >>> tidy = Tidy()
    >>> tidy.add("ada", {"coupons": [{"id": 7, "value": "SAVE10", "state": "active", "colour": "red"}]})
    >>> tidy.tables()["coupons"].select(["integration_id", "coupon", "extra"]).to_pylist()
    [{'integration_id': 'ada', 'coupon': 'SAVE10', 'extra': '{"colour": "red"}'}]
    """

    def __init__(self) -> None:
        self._rows = {name: _Rows(name) for name in PARTS}

    def add(self, integration_id: str, inventory: Record) -> None:
        """Add what one customer holds; a section that is missing or null adds nothing."""
        for table, record in _records(inventory):
            self._rows[table].add(integration_id, record)

    def kinds(self) -> dict[str, Kinds]:
        """Return table → attribute → the kinds of value that were seen."""
        return {name: rows.kinds() for name, rows in self._rows.items()}

    def tables(
        self, *, kinds: Mapping[str, Kinds] | None = None, declared: Mapping[str, Mapping[str, str]] | None = None
    ) -> dict[str, pa.Table]:
        """Return what was gathered as one table each.

        Parameters
        ----------
        kinds : mapping, optional
            Of all answers, when these are only some of them: every part then has the same columns.
        declared : mapping, optional
            Table → attribute → type in Talon.One's words.
        """
        kinds = kinds if kinds is not None else self.kinds()
        types = {name: column_types(kinds[name], (declared or {}).get(name, {})) for name in PARTS}
        return {name: rows.table(types[name]) for name, rows in self._rows.items()}


class _Rows:
    """The rows of one table."""

    def __init__(self, table: str) -> None:
        self._parts = [_Part(fields, prefix) for fields, prefix in zip(PARTS[table], _PREFIXES, strict=False)]
        self._ids: list[str] = []
        self._cells: list[list[Any]] = []
        self._extra: dict[int, dict[str, Any]] = {}
        self._attributes: list[Record] = []

    def add(self, integration_id: str, records: Sequence[tuple[Record, Nested]]) -> None:
        cells: list[Any] = []
        for part, (record, nested) in zip(self._parts, records, strict=True):
            cells += [record.get(wire) for wire in part.wires]
            if more := record.keys() - part.known - nested:
                left = {part.prefix + name: record[name] for name in more if record[name] is not None}
                self._note(len(self._ids), left)
        self._ids.append(integration_id)
        self._cells.append(cells)
        self._attributes.append(records[0][0].get("attributes") or {})

    def kinds(self) -> Kinds:
        found: Kinds = {}
        for attributes in self._attributes:
            see_kinds(found, attributes)
        return found

    def table(self, types: Mapping[str, pa.DataType]) -> pa.Table:
        columns = {"integration_id": pa.array(self._ids, pa.string())}
        fields = [(part.prefix, field) for part in self._parts for field in part.fields]
        extra = dict(self._extra)
        for place, (prefix, field) in enumerate(fields):
            values = [cells[place] for cells in self._cells]
            columns[field.column], odd = typed(values, field.kind)
            for at in odd:
                extra[at] = {**extra.get(at, {}), prefix + field.wire: values[at]}
        texts = [json.dumps(extra[at], sort_keys=True) if extra.get(at) else None for at in range(len(self._ids))]
        columns["extra"] = pa.array(texts, pa.string())
        for name, kind in types.items():
            shown = name.encode(errors="backslashreplace").decode()  # JSON can write half a surrogate pair
            columns[f"attributes.{shown}"] = column([attributes.get(name) for attributes in self._attributes], kind)
        return pa.table(columns)

    def _note(self, at: int, extra: dict[str, Any]) -> None:
        self._extra[at] = {**self._extra.get(at, {}), **extra}


_PREFIXES = ("", "", "ledger.", "ledger.currentTier.")
"""Where the records of a row lie, so that fields of one name do not meet in `extra`."""


class _Part:
    """One of the records that make a row, and what is known of its fields."""

    def __init__(self, fields: Sequence[Field], prefix: str) -> None:
        self.fields = fields
        self.prefix = prefix
        self.wires = [field.wire for field in fields]
        self.known = frozenset(self.wires)


# --- which records make the rows of which table ---------------------------------------------------------

_NONE: Nested = frozenset()
_ATTRIBUTES: Nested = frozenset({"attributes"})
_PROFILE: Nested = frozenset({"attributes", "audienceMemberships", "integrationId"})
_REFERRAL: Nested = frozenset({"attributes", "referredCustomers"})
_COUPON: Nested = frozenset({"attributes", "limits"})
_PROGRAM: Nested = frozenset({"ledger", "subLedgers"})
_CARD: Nested = frozenset({"ledger", "subledgers"})
_LEDGER: Nested = frozenset({"currentTier"})

Found = tuple[str, list[tuple[Record, Nested]]]

_LEDGER_SHAPE: dict[str, Any] = {"currentTier": {}}
_SHAPE: dict[str, Any] = {
    "profile": {"attributes": {}, "audienceMemberships": [{}]},
    "referrals": [{"attributes": {}, "referredCustomers": []}],
    "coupons": [{"attributes": {}, "limits": [{"entities": []}]}],
    "loyalty": {
        "programs": {"*": {"ledger": _LEDGER_SHAPE, "subLedgers": {"*": _LEDGER_SHAPE}}},
        "cards": [{"ledger": _LEDGER_SHAPE, "subledgers": {"*": _LEDGER_SHAPE}}],
    },
    "giveaways": [{"attributes": {}}],
    "achievements": [{}],
}


def is_inventory(answer: Any) -> bool:
    """Return whether an answer is built as an inventory is, so that all of it can be brought into the tables."""
    return isinstance(answer, dict) and _fits(answer, _SHAPE)


def _fits(value: Any, shape: dict[str, Any] | list[Any]) -> bool:
    if value is None:
        return True
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(item, part) for part in shape for item in value if item != {})
    if not isinstance(value, dict):
        return False
    if "*" in shape:
        return all(_fits(item, shape["*"]) for item in value.values())
    return all(_fits(value.get(name), part) for name, part in shape.items())


def _records(inventory: Record) -> Iterator[Found]:
    if profile := inventory.get("profile"):
        yield "profiles", [(profile, _PROFILE)]
        for audience in _items(profile.get("audienceMemberships")):
            yield "audiences", [(audience, _NONE)]
    for referral in _items(inventory.get("referrals")):
        yield from _referral(referral)
    for coupon in _items(inventory.get("coupons")):
        yield from _coupon(coupon)
    yield from _loyalty(inventory.get("loyalty") or {})
    for giveaway in _items(inventory.get("giveaways")):
        yield "giveaways", [(giveaway, _ATTRIBUTES)]
    for achievement in _items(inventory.get("achievements")):
        yield "achievements", [(achievement, _NONE)]


def _referral(referral: Record) -> Iterator[Found]:
    yield "referrals", [(referral, _REFERRAL)]
    for friend in referral.get("referredCustomers") or []:
        same = {"referral_id": referral.get("id"), "code": referral.get("code"), "referred_integration_id": friend}
        yield "referred_customers", [(same, _NONE)]


def _coupon(coupon: Record) -> Iterator[Found]:
    yield "coupons", [(coupon, _COUPON)]
    for limit in _items(coupon.get("limits")):
        entities = ", ".join(map(str, limit.get("entities") or []))
        same = {"coupon_id": coupon.get("id"), "coupon": coupon.get("value"), "entities": entities}
        yield "coupon_limits", [({**limit, **same}, _NONE)]


def _loyalty(loyalty: Record) -> Iterator[Found]:
    programs = loyalty.get("programs") or {}
    for key, program in programs.items():
        named = _with_key(key, program or {})
        yield from (("loyalty", [(named, _PROGRAM), *ledger]) for ledger in _ledgers(named, "subLedgers"))
    for card in _items(loyalty.get("cards")):
        yield from (("loyalty_cards", [(card, _CARD), *ledger]) for ledger in _ledgers(card, "subledgers"))


def _with_key(key: str, program: Record) -> Record:
    """Return a program with the key under which it stands, where its id does not say the same."""
    return program if str(program.get("id")) == key else {"key": key, **program}


def _ledgers(owner: Record, others: str) -> Iterator[list[tuple[Record, Nested]]]:
    """Yield the main ledger, whose name is empty, and then the others, one of which may be nameless too."""
    for name, found in [("", owner.get("ledger")), *(owner.get(others) or {}).items()]:
        ledger = found or {}
        yield [({"ledger": name}, _NONE), (ledger, _LEDGER), (ledger.get("currentTier") or {}, _NONE)]


def _items(found: Any) -> list[Record]:
    """Return the records of a list; one that is null says nothing."""
    return [item for item in found or [] if item is not None]
