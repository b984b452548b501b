"""The records of an inventory, read from an answer's bytes straight into slots, without a dict for each.

Their types are made from `PARTS`. An answer with a field that no type knows, or with a token that only Python's own
reader takes, is read as dicts first, and what is unknown is lifted into the slot `rest`. Measured for 5 KB, with all
cells taken: 38 µs by types, 75 as dicts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from t1data.bulk.answers import parsed
from t1data.inventories.columns import PARTS, Field

How = Literal["one", "list", "map"]
Use = Field | Literal["attributes", "beside", "rest"]
"""What becomes of a cell: it is of a column, holds custom attributes, stands beside the columns, or is the unknown."""


class Rest(dict[str, Any]):
    """What a record says in fields that no type knows. From JSON itself msgspec never makes one."""


@dataclass(frozen=True)
class Kind:
    """One kind of record.

    Attributes
    ----------
    type : type
        Of its records. Their first slots are their cells; `msgspec.structs.astuple` gives them all.
    cells : mapping of str to Use
        The cells in order, by the API's names of the fields.
    known : frozenset of str
        All fields; those that are no cells make rows of their own.
    nested : mapping of str to tuple
        Field → how it holds other records, and of which kind.
    """

    type: Any
    cells: Mapping[str, Use]
    known: frozenset[str]
    nested: Mapping[str, tuple[How, Kind]]


_TYPES: Final[Mapping[str, Any]] = {
    "attributes": dict | None,
    "referredCustomers": list | None,
    "entities": list | None,
    "rest": Rest | None,
}
"""Fields that are of one type or make an answer no inventory; a cell can be anything."""


def _kind(
    name: str,
    columns: Sequence[Field] = (),
    others: Mapping[str, Use] | None = None,
    *,
    elsewhere: Sequence[str] = (),
    nested: Mapping[str, tuple[How, Kind]] | None = None,
) -> Kind:
    nested = nested or {}
    cells: dict[str, Use] = {field.wire: field for field in columns}
    cells |= {**(others or {}), "rest": "rest"}
    elsewhere = [*elsewhere, *nested]
    types = {**_TYPES, **{field: held(how, kind.type | None) for field, (how, kind) in nested.items()}}
    made = msgspec.defstruct(
        name,
        [(slot, types.get(slot, Any), None) for slot in (*cells, *elsewhere)],
        rename={"rest": "$rest"},  # as a field of JSON it is as unknown as others: only null is taken for a Rest
        forbid_unknown_fields=True,
        gc=False,  # JSON holds no cycles
    )
    return Kind(made, cells, frozenset(cells).union(elsewhere) - {"rest"}, nested)


def held(how: How, record: Any) -> Any:
    """Return the type of a field that holds records of a type in some way."""
    return {"one": record, "list": list[record] | None, "map": dict[str, record] | None}[how]


_CUSTOM: Final[dict[str, Use]] = {"attributes": "attributes"}

AUDIENCE = _kind("Audience", PARTS["audiences"][0])
PROFILE = _kind(
    "Profile",
    PARTS["profiles"][0],
    {**_CUSTOM, "loyaltyMemberships": "beside"},
    elsewhere=["integrationId"],
    nested={"audienceMemberships": ("list", AUDIENCE)},
)
REFERRAL = _kind("Referral", PARTS["referrals"][0], _CUSTOM, elsewhere=["referredCustomers"])
LIMIT = _kind("Limit", PARTS["coupon_limits"][0][2:5], elsewhere=["entities"])
COUPON = _kind("Coupon", PARTS["coupons"][0], _CUSTOM, nested={"limits": ("list", LIMIT)})
TIER = _kind("Tier", PARTS["loyalty"][3])
LEDGER = _kind("Ledger", PARTS["loyalty"][2], nested={"currentTier": ("one", TIER)})
PROGRAM = _kind("Program", PARTS["loyalty"][0], nested={"ledger": ("one", LEDGER), "subLedgers": ("map", LEDGER)})
CARD = _kind(
    "Card",
    PARTS["loyalty_cards"][0],
    {"profiles": "beside"},
    nested={"ledger": ("one", LEDGER), "subledgers": ("map", LEDGER)},
)
LOYALTY = _kind("Loyalty", nested={"programs": ("map", PROGRAM), "cards": ("list", CARD)})
GIVEAWAY = _kind("Giveaway", PARTS["giveaways"][0], _CUSTOM)
ACHIEVEMENT = _kind("Achievement", PARTS["achievements"][0])
INVENTORY = _kind(
    "Inventory",
    nested={
        "profile": ("one", PROFILE),
        "referrals": ("list", REFERRAL),
        "coupons": ("list", COUPON),
        "loyalty": ("one", LOYALTY),
        "giveaways": ("list", GIVEAWAY),
        "achievements": ("list", ACHIEVEMENT),
    },
)

_decode = msgspec.json.Decoder(INVENTORY.type).decode
_SAYS_NOTHING = PROFILE.type()


def read_inventory(body: bytes) -> Any:
    """Return an answer as a record.

    Raises
    ------
    ValueError
        It is no JSON, or not built as an inventory is, so that not all of it could be brought into the tables.
    """
    try:
        found = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return as_record(parsed(body))
    # An empty profile is none, but one whose fields are all null is one.
    return as_record(parsed(body)) if found.profile == _SAYS_NOTHING else found


def as_record(inventory: Any) -> Any:
    """Return an inventory, as `json.loads` gives it, as a record; raise ValueError when it is not built as one."""
    if isinstance(inventory, dict) and inventory.get("profile") == {}:
        inventory = {**inventory, "profile": None}
    return msgspec.convert(_lifted(inventory, INVENTORY), INVENTORY.type)


def _lifted(value: Any, kind: Kind) -> Any:
    """Return a record with what it says in unknown fields lifted out; null says nothing."""
    if not isinstance(value, dict):
        return value
    known = {field: value[field] for field in value.keys() & kind.known}
    known |= {field: _each(known[field], *held) for field, held in kind.nested.items() if field in known}
    rest = {field: value[field] for field in value.keys() - known.keys() if value[field] is not None}
    return {**known, "$rest": Rest(rest)} if rest else known


def _each(value: Any, how: How, kind: Kind) -> Any:
    if how == "list" and isinstance(value, list):
        return [_lifted(item, kind) for item in value]
    if how == "map" and isinstance(value, dict):
        return {name: _lifted(item, kind) for name, item in value.items()}
    return _lifted(value, kind)
