"""Customer sessions in the store, and the two forms in which the API shows them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from t1data.sandbox.carts import Totals
from t1data.sandbox.core import APPLICATION_ID, Account, dump, parse
from t1data.sandbox.effects import DISCOUNTS, Effect
from t1data.sandbox.money import add_up

_SHOWN = ("storeIntegrationId", "loyaltyCards", "experimentVariantAllocations", "evaluableCampaignIds")


@dataclass(frozen=True)
class Session:
    """One session as it stands.

    Parameters
    ----------
    id : int
        The internal id; 0 before it is first saved.
    integration_id : str
        The caller's own id.
    profile_id : int or None
        The internal id of the customer; None for an anonymous one.
    profile_integration_id : str
        The customer's id, ``""`` for an anonymous one.
    state : str
        One of ``session_body.STATES``.
    body : mapping
        The ``customerSession`` that all updates together come to.
    totals : Totals
        Of that body.
    effects : tuple of dict
        What the last evaluation granted.
    first_session : bool
        Whether the customer had no session before.
    update_count : int
        1 after the first update.
    created, updated : str
        Times.
    closed_at, cancelled_at : str or None
        Times.
    """

    integration_id: str
    created: str
    updated: str
    id: int = 0
    profile_id: int | None = None
    profile_integration_id: str = ""
    state: str = "open"
    body: Mapping[str, Any] = field(default_factory=dict)
    totals: Totals = field(default_factory=Totals)
    effects: tuple[Effect, ...] = ()
    first_session: bool = True
    update_count: int = 1
    closed_at: str | None = None
    cancelled_at: str | None = None


def find(account: Account, integration_id: str) -> Session | None:
    """Return the session with this id, or None."""
    row = account.db.execute("SELECT * FROM session WHERE integration_id = ?", (integration_id,)).fetchone()
    return None if row is None else _session(row)


def _session(row: sqlite3.Row) -> Session:
    totals = (row["cart_item_total"], row["additional_cost_total"], row["cart_item_additional_cost_total"])
    plain = set(row.keys()) & (set(Session.__dataclass_fields__) - {"body", "effects", "first_session"})
    return Session(
        **{name: row[name] for name in plain},
        body=parse(row["body"]),
        effects=tuple(parse(row["effects"])),
        totals=Totals(*map(Decimal, totals)),
        first_session=bool(row["first_session"]),
    )


def owned(account: Account, session: Session, profile: sqlite3.Row | None) -> Session:
    """Return the session as one of this customer.

    It is the first session when the customer has none that is older; an anonymous customer's always is.
    """
    if profile is None:
        return replace(session, profile_id=None, profile_integration_id="", first_session=True)
    another = account.db.execute(
        "SELECT 1 FROM session WHERE profile_id = :owner AND integration_id <> :own AND (:id = 0 OR id < :id) LIMIT 1",
        {"owner": profile["id"], "own": session.integration_id, "id": session.id},
    ).fetchone()
    return replace(
        session,
        profile_id=profile["id"],
        profile_integration_id=profile["integration_id"],
        first_session=another is None,
    )


def save(account: Account, session: Session) -> Session:
    """Store the session as it stands, over an earlier state of it, and return it with its internal id."""
    values = _columns(session)
    names = ", ".join(values)
    changes = ", ".join(f"{name} = excluded.{name}" for name in values)
    row = account.db.execute(
        f"INSERT INTO session ({names}) VALUES ({', '.join('?' * len(values))})"  # noqa: S608 - names of columns
        f" ON CONFLICT (integration_id) DO UPDATE SET {changes} RETURNING id",
        tuple(values.values()),
    ).fetchone()
    return replace(session, id=row["id"])


def _columns(session: Session) -> dict[str, Any]:
    return {
        "integration_id": session.integration_id,
        "profile_id": session.profile_id,
        "profile_integration_id": session.profile_integration_id,
        "state": session.state,
        "body": dump(session.body),
        "effects": dump(session.effects),
        "total": str(session.totals.total),
        "cart_item_total": str(session.totals.cart_items),
        "additional_cost_total": str(session.totals.additional_costs),
        "cart_item_additional_cost_total": str(session.totals.cart_item_additional_costs),
        "first_session": session.first_session,
        "update_count": session.update_count,
        "created": session.created,
        "updated": session.updated,
        "closed_at": session.closed_at,
        "cancelled_at": session.cancelled_at,
    }


def session_json(session: Session) -> dict[str, Any]:
    """Return the API's CustomerSessionV2.

    Its 2026 schema also requires ``coupon`` and ``referral``, the single codes of version 1, so they are here.
    """
    body = session.body
    codes = body.get("couponCodes", [])
    return {
        "id": session.id,
        "integrationId": session.integration_id,
        "created": session.created,
        "applicationId": APPLICATION_ID,
        "profileId": session.profile_integration_id,
        "state": session.state,
        "couponCodes": codes,
        "coupon": codes[0] if codes else "",
        "referralCode": body.get("referralCode", ""),
        "referral": body.get("referralCode", ""),
        "cartItems": items_json(session),
        "additionalCosts": body.get("additionalCosts", {}),
        "identifiers": body.get("identifiers", []),
        "attributes": body.get("attributes", {}),
        **{name: body[name] for name in _SHOWN if name in body},
        "firstSession": session.first_session,
        "updateCount": session.update_count,
        "total": session.totals.total,
        "cartItemTotal": session.totals.cart_items,
        "additionalCostTotal": session.totals.additional_costs,
        "cartItemAdditionalCostTotal": session.totals.cart_item_additional_costs,
        "updated": session.updated,
    }


def items_json(session: Session) -> list[dict[str, Any]]:
    """Return the cart with the members that only the server sets; nothing is ever returned here."""
    return [
        {**item, "position": position, "returnedQuantity": 0, "remainingQuantity": item["quantity"]}
        for position, item in enumerate(session.body.get("cartItems", []))
    ]


def old_session_json(session: Session) -> dict[str, Any]:
    """Return the session of version 1, with the sum of each discount by its name."""
    now = session_json(session)
    same = ("integrationId", "created", "applicationId", "profileId", "coupon", "referral", "cartItems")
    also = ("identifiers", "total", "attributes", "firstSession", "updated")
    states = {"partially_returned": "closed"}  # version 1 knew three states
    return {
        **{name: now[name] for name in (*same, *also)},
        "state": states.get(session.state, session.state),
        "discounts": discounts(session.effects),
    }


def discounts(effects: tuple[Effect, ...]) -> dict[str, Decimal]:
    """Return the sum of the discounts of each name."""
    given = [each["props"] for each in effects if each["effectType"] in DISCOUNTS]
    names = dict.fromkeys(props["name"] for props in given)
    return {name: add_up(Decimal(props["value"]) for props in given if props["name"] == name) for name in names}
