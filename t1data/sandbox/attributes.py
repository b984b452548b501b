"""The attribute catalogue of each entity: which names exist, what type each has, how values merge.

The shape of a ``location`` is documented nowhere. This sandbox takes a pair of numbers, or an object with the
two numbers ``latitude`` and ``longitude`` (or ``lat`` and ``lon``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from t1data.sandbox.checks import Faults, step
from t1data.sandbox.core import Account, dump, parse
from t1data.sandbox.values import is_number, is_text, is_time, show

ENTITIES = (
    "Application",
    "Campaign",
    "CustomerProfile",
    "CustomerSession",
    "CartItem",
    "Coupon",
    "Event",
    "Giveaway",
    "LoyaltyCard",
    "Referral",
    "Store",
)
NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)

Check = Callable[[Any], bool]


def _is_location(value: object) -> bool:
    if isinstance(value, dict):
        return set(value) in ({"latitude", "longitude"}, {"lat", "lon"}) and all(map(is_number, value.values()))
    return isinstance(value, list) and len(value) == 2 and all(map(is_number, value))


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _is_boolean(value: object) -> bool:
    return isinstance(value, bool)


_SCALARS: dict[str, Check] = {
    "string": is_text,
    "number": is_number,
    "time": is_time,
    "location": _is_location,
}
TYPES: dict[str, Check] = {
    **_SCALARS,
    "boolean": _is_boolean,
    **{f"(list {name})": _list_of(check) for name, check in _SCALARS.items()},
}


class Catalogue:
    """The attributes of one entity, read once for a call.

    Parameters
    ----------
    account : Account
        Where the definitions are.
    entity : str
        One of `ENTITIES`.
    """

    def __init__(self, account: Account, entity: str) -> None:
        self.entity = entity
        self._account = account
        self._types: dict[str, str] = {}
        self._allowed: dict[str, list[Any]] = {}
        rows = account.db.execute(
            "SELECT name, type, suggestions, restricted FROM attribute WHERE entity = ?", (entity,)
        )
        for row in rows:
            self._types[row["name"]] = row["type"]
            if row["restricted"]:
                self._allowed[row["name"]] = parse(row["suggestions"])

    def check(self, attributes: Mapping[str, Any], pointer: str, faults: Faults) -> None:
        """Note every attribute that is unknown, of the wrong type or not on its list."""
        for name, value in attributes.items():
            kind = self._types.get(name) or self._declare(name, value)
            if kind is None:
                details = f'The attribute "{name}" is not defined on {self.entity} entities.'
                faults.add("Unknown", details, step(pointer, name))
            elif value is not None and not TYPES[kind](value):
                details = f'Value of "{name}" attribute ({show(value)}) is not {_phrase(kind)}'
                faults.add("Invalid type", details, step(pointer, name))
            elif value is not None and name in self._allowed:
                self._check_allowed(name, value, step(pointer, name), faults)

    def _check_allowed(self, name: str, value: Any, pointer: str, faults: Faults) -> None:
        allowed = self._allowed[name]
        values = value if isinstance(value, list) else [value]
        if not all(item in allowed or show(item) in allowed for item in values):
            faults.add("enum", f'Value of "{name}" attribute ({show(value)}) is not on its list', pointer)

    def _declare(self, name: str, value: Any) -> str | None:
        kind = _type_of(value)
        if self._account.options.unknown_attribute == "reject" or kind is None or not NAME.fullmatch(name):
            return None
        define(self._account, self.entity, name, kind)
        self._types[name] = kind
        return kind


def _type_of(value: Any) -> str | None:
    kinds = ("boolean", "number", "time", "string", "location")
    sought = kinds if not isinstance(value, list) else tuple(kind for kind in TYPES if kind.startswith("("))
    return next((kind for kind in sought if TYPES[kind](value)), None)


def _phrase(kind: str) -> str:
    return f"a {kind}" if kind in TYPES and not kind.startswith("(") else f"a list of {kind[6:-1]}s"


def check(account: Account, entity: str, attributes: Mapping[str, Any], pointer: str) -> None:
    """Raise one 400 for all the bad attributes of one entity.

    Parameters
    ----------
    account : Account
        The account with the catalogue.
    entity : str
        One of `ENTITIES`.
    attributes : mapping
        The ``attributes`` object as sent.
    pointer : str
        Where that object stands in the body, as a JSON pointer.
    """
    faults = Faults(pointed=account.options.point_at_faults)
    Catalogue(account, entity).check(attributes, pointer, faults)
    faults.stop()


def merge(old: Mapping[str, Any], new: Mapping[str, Any], *, null_clears: bool = True) -> dict[str, Any]:
    """Return the attributes after an update: keys sent are set, null removes, keys not sent stay.

    Examples
    --------
    >>> merge({"Name": "Ada", "Email": "a@b.c"}, {"Email": None, "CDs": 3})
    {'Name': 'Ada', 'CDs': 3}
    """
    merged = dict(old)
    for name, value in new.items():
        if value is not None:
            merged[name] = value
        elif null_clears:
            merged.pop(name, None)
    return merged


def define(
    account: Account,
    entity: str,
    name: str,
    kind: str,
    *,
    title: str | None = None,
    description: str = "",
    suggestions: list[Any] | None = None,
    restricted: bool = False,
    event_type: str | None = None,
) -> int:
    """Add an attribute to the catalogue and return its id; the caller has checked the names and the type."""
    done = account.db.execute(
        "INSERT INTO attribute (entity, name, title, type, description, suggestions, restricted, event_type,"
        " created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            entity,
            name,
            title or name,
            kind,
            description,
            dump(suggestions or []),
            restricted,
            event_type,
            account.now(),
        ),
    )
    return int(done.lastrowid or 0)
