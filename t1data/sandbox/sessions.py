"""Operation 16, customer sessions: states, what an update keeps, and the way from a body to its effects.

Choices where no document speaks, besides the switches in `Options`: what else a cancellation carries is checked
and ignored; a dry update knows no earlier update, so every session is new to it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from t1data.sandbox import profiles
from t1data.sandbox import session_store as store
from t1data.sandbox.answers import Outcome, answer
from t1data.sandbox.attributes import merge
from t1data.sandbox.carts import totals_of
from t1data.sandbox.core import Account, Call, Handler, Refusal, Reply, invalid, not_found
from t1data.sandbox.effects import rollbacks
from t1data.sandbox.evaluation import Evaluation
from t1data.sandbox.event_store import record
from t1data.sandbox.rules import evaluate_event
from t1data.sandbox.session_body import Request, read_request
from t1data.sandbox.session_store import Session
from t1data.sandbox.settlement import FINAL, settle, unsettle
from t1data.sandbox.trial import at, trial
from t1data.sandbox.values import is_text, show

# What a session may become by an update; returns and reopening are operations of their own.
TRANSITIONS: Mapping[str | None, frozenset[str]] = {
    None: frozenset({"open", "closed"}),
    "open": frozenset({"open", "closed", "cancelled"}),
    "closed": frozenset({"cancelled"}),
    "partially_returned": frozenset({"cancelled"}),
    "cancelled": frozenset(),
}


def update_customer_session_v2(account: Account, call: Call) -> Reply:
    """Operation 16: create or update a session, run the rules, and answer with their effects."""
    request = read_request(account, call)
    integration_id = call.path["customerSessionId"]
    with trial(account, dry=request.dry):
        return Reply(200, _update(at(account, request.now), integration_id, request))


def get_customer_session(account: Account, call: Call) -> Reply:
    """Return a session as it stands, and the effects that its last update was granted."""
    integration_id = call.path["customerSessionId"]
    session = store.find(account, integration_id) if is_text(integration_id) else None
    if session is None:
        raise not_found(f"Customer session {show(integration_id)}")
    return Reply(200, {"customerSession": store.session_json(session), "effects": list(session.effects)})


def _update(account: Account, integration_id: str, request: Request) -> dict[str, Any]:
    before = None if request.dry else store.find(account, integration_id)
    state = request.session.get("state", "open")
    _check_transition(account, before, state)
    if before is not None and state == "cancelled":
        outcome = _cancel(account, before)
    else:
        outcome = _advance(account, before or _blank(account, integration_id), request, state=state)
    return answer(account, outcome, request.sections)


def _check_transition(account: Account, before: Session | None, state: str) -> None:
    known = before.state if before else None
    if state in TRANSITIONS[known]:
        return
    details = f"A session that is {known} cannot become {state}" if known else f"A session cannot begin as {state}"
    refusal = invalid("Invalid value", details, "/customerSession/state")
    if known in (None, "open"):
        raise refusal
    raise Refusal(account.options.closed_session_status, refusal.message, refusal.errors)


def _blank(account: Account, integration_id: str) -> Session:
    now = account.now()
    return Session(integration_id, created=now, updated=now, update_count=0)


def _advance(account: Account, before: Session, request: Request, *, state: str) -> Outcome:
    """Apply an update to a session that is open or new."""
    profile = _profile(account, before, request.session)
    session = store.save(account, _after(account, before, request.session, profile=profile, state=state))
    event_type = _event_type(before, state)
    campaign_ids = session.body.get("evaluableCampaignIds")
    evaluation = evaluate_event(account, event_type, profile=profile, session=session, campaign_ids=campaign_ids)
    session = store.save(account, replace(session, effects=evaluation.effects))
    settle(account, session)
    return _conclude(account, event_type, evaluation, profile=profile, session=session)


def _profile(account: Account, before: Session, sent: Mapping[str, Any]) -> sqlite3.Row | None:
    """Return the customer, made when unknown; None for an anonymous one."""
    integration_id = sent.get("profileId", before.profile_integration_id)
    if before.profile_integration_id not in ("", integration_id) and account.options.changed_customer == "reject":
        raise invalid("Invalid value", "The session belongs to another profile", "/customerSession/profileId")
    return profiles.ensure(account, integration_id) if integration_id else None


def _after(
    account: Account, before: Session, sent: Mapping[str, Any], *, profile: sqlite3.Row | None, state: str
) -> Session:
    body = _merged(account, before.body, sent)
    now = account.now()
    return replace(
        store.owned(account, before, profile),
        state=state,
        body=body,
        totals=totals_of(body),
        update_count=before.update_count + 1,
        updated=now,
        closed_at=now if state == "closed" else None,
    )


def _merged(account: Account, old: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body after an update: a field left out stays, one sent replaces, attributes are merged."""
    clears = account.options.null_clears
    attributes = merge(old.get("attributes", {}), sent.get("attributes", {}), null_clears=clears)
    fields = {name: value for name, value in sent.items() if name not in ("state", "profileId")}
    return {**old, **fields, "attributes": attributes}


def _event_type(before: Session, state: str) -> str:
    if state == "closed":
        return "talon_session_closed"
    return "talon_session_updated" if before.update_count else "talon_session_created"


def _cancel(account: Account, before: Session) -> Outcome:
    """Cancel a session; only one that was closed has effects to roll back."""
    was_final = before.state in FINAL
    unsettle(account, before)
    now = account.now()
    updates = before.update_count + 1
    session = replace(before, state="cancelled", effects=(), update_count=updates, updated=now, cancelled_at=now)
    store.save(account, session)
    profile = profiles.ensure(account, before.profile_integration_id) if before.profile_id else None
    evaluation = Evaluation(tuple(rollbacks(before.effects)) if was_final else ())
    event_type = "talon_session_revoked" if was_final else "talon_session_cancelled"
    return _conclude(account, event_type, evaluation, profile=profile, session=session)


def _conclude(
    account: Account, event_type: str, evaluation: Evaluation, *, profile: sqlite3.Row | None, session: Session
) -> Outcome:
    if profile is not None:
        profiles.touch_activity(account, profile)
    event = record(account, event_type, evaluation.effects, profile=profile, session=session)
    return Outcome(evaluation, event, session.profile_integration_id, session)


HANDLERS: dict[str, Handler] = {
    "update_customer_session_v2": update_customer_session_v2,
    "get_customer_session": get_customer_session,
}
