"""An event that is no update of a session: the rules run, what they grant is carried out, the event is kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from t1data.sandbox import profiles
from t1data.sandbox.answers import Outcome
from t1data.sandbox.core import Account
from t1data.sandbox.event_store import record
from t1data.sandbox.rules import evaluate_event
from t1data.sandbox.session_store import Session
from t1data.sandbox.settlement import grant_points


def happen(
    account: Account,
    event_type: str,
    *,
    profile: sqlite3.Row | None,
    session: Session | None = None,
    attributes: Mapping[str, Any] | None = None,
    campaign_ids: list[int] | None = None,
) -> Outcome:
    """Let an event happen and return what it came to.

    Parameters
    ----------
    account : Account
        The account; a dry run has to roll back what this writes.
    event_type : str
        A custom type, or ``"talon_profile_created"`` or ``"talon_profile_updated"``.
    profile : sqlite3.Row or None
        The customer as it is now; None for an anonymous one. Points that it is granted count at once.
    session : Session, optional
        The session that the event belongs to; it is read and not changed.
    attributes : mapping, optional
        The attributes of the event.
    campaign_ids : list of int, optional
        Ask only these campaigns.
    """
    evaluation = evaluate_event(account, event_type, profile=profile, session=session, campaign_ids=campaign_ids)
    if profile is not None:
        grant_points(account, profile["id"], evaluation.effects, session_id=None, tentative=False)
        profiles.touch_activity(account, profile)
    event = record(account, event_type, evaluation.effects, profile=profile, session=session, attributes=attributes)
    return Outcome(evaluation, event, profile["integration_id"] if profile else "", session)
