"""Events in the store, and the form in which the API shows them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from t1data.sandbox.core import ACCOUNT_ID, APPLICATION_ID, Account, dump
from t1data.sandbox.effects import Effect, old_form
from t1data.sandbox.session_store import Session

BUILT_IN = frozenset(
    {
        "talon_session_created",
        "talon_session_updated",
        "talon_session_closed",
        "talon_session_cancelled",
        "talon_session_revoked",
        "talon_session_partially_returned",
        "talon_session_reopened",
        "talon_profile_created",
        "talon_profile_updated",
    }
)
NEVER = "0001-01-01T00:00:00Z"  # how the API writes a date that is not there


def record(
    account: Account,
    event_type: str,
    effects: Iterable[Effect],
    *,
    profile: sqlite3.Row | None = None,
    session: Session | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Keep an event and return it in the API's form.

    Parameters
    ----------
    account : Account
        Where it is kept.
    event_type : str
        Built-in or custom.
    effects : iterable of dict
        What the rules made of it.
    profile : sqlite3.Row, optional
        The customer; None for an anonymous one.
    session : Session, optional
        The session that it belongs to.
    attributes : mapping, optional
        The attributes of the event.
    """
    done = list(effects)
    created = account.now()
    old = [old_form(each) for each in done]
    event_id = account.db.execute(
        "INSERT INTO event (type, profile_id, session_id, attributes, effects, created) VALUES (?, ?, ?, ?, ?, ?)",
        (event_type, profile and profile["id"], session and session.id, dump(attributes or {}), dump(old), created),
    ).lastrowid
    event = {
        "id": event_id,
        "created": created,
        "applicationId": APPLICATION_ID,
        "profileId": profile["integration_id"] if profile else "",
        "type": event_type,
        "attributes": dict(attributes or {}),
        "effects": old,
    }
    entries = _ledger_entries(event, done)
    return {**event, "ledgerEntries": entries, **({"sessionId": session.integration_id} if session else {})}


def _ledger_entries(event: Mapping[str, Any], effects: Iterable[Effect]) -> list[dict[str, Any]]:
    """Return the points of an event in the form of version 1, whose amounts were whole numbers."""
    points = [each["props"] for each in effects if each["effectType"] == "addLoyaltyPoints"]
    return [
        {
            "id": number,
            "created": event["created"],
            "profileId": event["profileId"],
            "accountId": ACCOUNT_ID,
            "loyaltyProgramId": props["programId"],
            "eventId": event["id"],
            "amount": int(props["value"]),
            "reason": props["name"],
            "expiryDate": NEVER,
        }
        for number, props in enumerate(points, start=1)
    ]
