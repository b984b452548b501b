"""Of what kinds the values of custom attributes are: learnt from answers, without making tables of them.

Of an answer's fields only the attributes are taken: for 5 KB a third of the time that its tables take.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from t1data.inventories.attributes import Kinds, survey
from t1data.inventories.columns import PARTS
from t1data.inventories.records import INVENTORY, How, Kind, held, read_inventory

_TABLES: Final[Mapping[str, str]] = {
    "profile": "profiles",
    "audienceMemberships": "audiences",
    "referrals": "referrals",
    "coupons": "coupons",
    "limits": "coupon_limits",
    "loyalty": "",  # its records are those that it holds
    "programs": "loyalty",
    "cards": "loyalty_cards",
    "giveaways": "giveaways",
    "achievements": "achievements",
}
"""Field → the table of its records; what a ledger or a tier has in unknown fields is no attribute."""


def kinds_of(portions: Iterable[Iterable[bytes]], declared: Mapping[str, Mapping[str, str]]) -> dict[str, Kinds]:
    """Return table → attribute → the kinds of value in all answers, as `Tidy.kinds` does.

    Parameters
    ----------
    portions : iterable of iterables of bytes
        Inventories, some at a time.
    declared : mapping of str to mapping
        Table → attribute → type in Talon.One's words.
    """
    kinds: dict[str, Kinds] = {name: {} for name in PARTS}
    for portion in portions:
        for table, records in _attributes(portion).items():
            for attribute, seen, _ in survey(records, declared.get(table, {})):
                kinds[table].setdefault(attribute, set()).update(seen)
    return kinds


def _attributes(answers: Iterable[bytes]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for answer in answers:
        for table, attributes in _in(_read(answer), _INVENTORY):
            found.setdefault(table, []).append(attributes)
    return found


# --- records with their attributes alone ----------------------------------------------------------------


@dataclass(frozen=True)
class _Light:
    """One kind of record: its type, and for each field that holds others how it does, whose table, and which kind."""

    type: Any
    nested: Sequence[tuple[str, How, str, _Light]]


def _light(kind: Kind) -> _Light:
    """Return a kind of records that hold their attributes, and other such records; what else they say is skipped."""
    nested = [
        (name, how, _TABLES[name], _light(inner)) for name, (how, inner) in kind.nested.items() if name in _TABLES
    ]
    fields = [(name, held(how, light.type | None), None) for name, how, _, light in nested]
    return _Light(msgspec.defstruct(kind.type.__name__, [("attributes", Any, None), *fields], gc=False), nested)


_INVENTORY = _light(INVENTORY)
_decode = msgspec.json.Decoder(_INVENTORY.type).decode


def _read(answer: bytes) -> Any:
    try:
        return _decode(answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return read_inventory(answer)


def _in(record: Any, kind: _Light) -> Iterator[tuple[str, Any]]:
    """Yield the table and the attributes of each record in another one that has any."""
    for field, how, table, inner in kind.nested:
        for item in _items(getattr(record, field), how):
            if item is not None:
                if table and (attributes := _of(item)):
                    yield table, attributes
                yield from _in(item, inner)


def _of(record: Any) -> Any:
    try:
        return record.attributes
    except AttributeError:  # of an answer that was read as dicts: attributes are unknown to records of this type
        return (record.rest or {}).get("attributes")


def _items(value: Any, how: How) -> Iterable[Any]:
    if not value:
        return ()
    return (value,) if how == "one" else value.values() if how == "map" else value
