"""Answers to tidy tables: one row a thing, the customer's id first, nothing dropped and nothing bent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
from msgspec.structs import astuple, replace

from t1data.inventories.attributes import Kinds
from t1data.inventories.columns import PARTS
from t1data.inventories.records import (
    CARD,
    COUPON,
    LEDGER,
    PROFILE,
    PROGRAM,
    REFERRAL,
    TIER,
    Kind,
    Rest,
    as_record,
    read_inventory,
)
from t1data.inventories.rows import Rows

_NO_PROGRAM, _NO_LEDGER, _NO_TIER = PROGRAM.type(), LEDGER.type(), TIER.type()


class Tidy:
    """Gathers the rows of all tables from one inventory after the other.

    Parameters
    ----------
    declared : mapping, optional
        Table → attribute → type in Talon.One's words.
    at_once : int
        Customers whose cells are held until columns are made of them.

    Examples
    --------
    >>> tidy = Tidy()
    >>> tidy.add("ada", {"coupons": [{"id": 7, "value": "SAVE10", "state": "active", "colour": "red"}]})
    >>> tidy.tables()["coupons"].select(["integration_id", "coupon", "extra"]).to_pylist()
    [{'integration_id': 'ada', 'coupon': 'SAVE10', 'extra': '{"colour": "red"}'}]
    """

    def __init__(self, *, declared: Mapping[str, Mapping[str, str]] | None = None, at_once: int = 1000) -> None:
        self._rows = {name: Rows(name, (declared or {}).get(name, {})) for name in PARTS}
        self._held, self._at_once = 0, at_once

    def add(self, integration_id: str, inventory: Mapping[str, Any]) -> None:
        """Add what one customer holds; a section that is missing or null adds nothing."""
        self._add(integration_id, as_record(inventory))

    def read(self, integration_id: str, body: bytes) -> None:
        """Add what an answer says that one customer holds."""
        self._add(integration_id, read_inventory(body))

    def _add(self, integration_id: str, inventory: Any) -> None:
        for table, cells in _rows(inventory):
            self._rows[table].add(integration_id, cells)
        self._held += 1
        if self._held == self._at_once:
            self._settle()

    def kinds(self) -> dict[str, Kinds]:
        """Return table → attribute → the kinds of value that were seen."""
        self._settle()
        return {name: rows.kinds() for name, rows in self._rows.items()}

    def tables(self, *, kinds: Mapping[str, Kinds] | None = None) -> dict[str, pa.Table]:
        """Return what was gathered as one table each.

        Parameters
        ----------
        kinds : mapping, optional
            Of all answers, when these are only some of them: every part then has the same columns.
        """
        kinds = self.kinds() if kinds is None else kinds
        self._settle()
        return {name: rows.table(kinds[name]) for name, rows in self._rows.items()}

    def _settle(self) -> None:
        self._held = 0
        for rows in self._rows.values():
            rows.settle()


# --- which records make the rows of which table ---------------------------------------------------------

Row = tuple[str, Iterable[Any]]


def is_inventory(answer: Any) -> bool:
    """Return whether an answer is built as an inventory is, so that all of it can be brought into the tables."""
    try:
        return as_record(answer) is not None
    except ValueError:
        return False


def _rows(inventory: Any) -> Iterator[Row]:
    if inventory.profile is not None:
        yield "profiles", _cells(inventory.profile, PROFILE)
        for audience in _items(inventory.profile.audienceMemberships):
            yield "audiences", astuple(audience)
    for referral in _items(inventory.referrals):
        yield "referrals", _cells(referral, REFERRAL)
        for friend in referral.referredCustomers or ():
            yield "referred_customers", (referral.id, referral.code, friend)
    for coupon in _items(inventory.coupons):
        yield "coupons", _cells(coupon, COUPON)
        for limit in _items(coupon.limits):
            entities = ", ".join(map(str, limit.entities or ()))
            cells = (coupon.id, coupon.value, limit.action, limit.limit, limit.period, entities, limit.rest)
            yield "coupon_limits", cells
    if inventory.loyalty is not None:
        yield from _loyalty(inventory.loyalty)
    for giveaway in _items(inventory.giveaways):
        yield "giveaways", astuple(giveaway)
    for achievement in _items(inventory.achievements):
        yield "achievements", astuple(achievement)


def _loyalty(loyalty: Any) -> Iterator[Row]:
    for key, found in (loyalty.programs or {}).items():
        program = _with_key(key, found or _NO_PROGRAM)
        for ledger in _ledgers(program.ledger, program.subLedgers):
            yield "loyalty", _cells(program, PROGRAM) + ledger
    for card in _items(loyalty.cards):
        for ledger in _ledgers(card.ledger, card.subledgers):
            yield "loyalty_cards", _cells(card, CARD) + ledger


def _with_key(key: str, program: Any) -> Any:
    """Return a program with the key under which it stands, where its id does not say the same."""
    if str(program.id) == key:
        return program
    return replace(program, rest=Rest({"key": key, **(program.rest or {})}))


def _ledgers(main: Any, others: Mapping[str, Any] | None) -> Iterator[tuple[Any, ...]]:
    """Yield the main ledger, whose name is empty, and then the others, one of which may be nameless too."""
    for name, found in (("", main), *(others or {}).items()):
        ledger = found or _NO_LEDGER
        yield name, *_cells(ledger, LEDGER), *astuple(ledger.currentTier or _NO_TIER)


def _cells(record: Any, kind: Kind) -> tuple[Any, ...]:
    return astuple(record)[: len(kind.cells)]


def _items(found: Any) -> list[Any]:
    """Return the records of a list; one that is null says nothing."""
    return [item for item in found or () if item is not None]
