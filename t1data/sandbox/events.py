"""Events: operation 17 (`track_event`, version 1, of 2021) and its successor `track_event_v2`.

Both create the customer when unknown. Only version 1 knows a session, which it creates open and empty when
missing. Points that an event grants count at once.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from t1data.sandbox import loyalty, profiles
from t1data.sandbox import session_store as store
from t1data.sandbox.answers import Outcome, accepted_coupons, answer
from t1data.sandbox.attributes import Catalogue, merge
from t1data.sandbox.checks import Body, read_body
from t1data.sandbox.core import ACCOUNT_ID, Account, Call, Handler, Reply, invalid, present
from t1data.sandbox.evaluation import Evaluation
from t1data.sandbox.event_store import BUILT_IN
from t1data.sandbox.happening import happen
from t1data.sandbox.queries import flag, silent
from t1data.sandbox.session_body import PROFILE_SECTIONS, read_attributes, read_sections
from t1data.sandbox.session_store import Session
from t1data.sandbox.trial import trial
from t1data.sandbox.values import LONGEST_ID


@dataclass(frozen=True)
class _Event:
    """An event as sent, checked."""

    type: str
    attributes: Mapping[str, Any]
    profile_id: str | None
    session_id: str | None = None
    campaign_ids: list[int] | None = None


def track_event(account: Account, call: Call) -> Reply:
    """Operation 17: a custom event inside a session; answers 201 with the whole state of version 1."""
    dry = flag(call, "dry")
    body = read_body(account, call)
    sent = _read(account, body, session_required=True)
    body.faults.stop()
    with trial(account, dry=dry):
        return Reply(201, _track_old(account, sent))


def track_event_v2(account: Account, call: Call) -> Reply:
    """Track a custom event of a customer, without a session; silent by default."""
    quiet, dry = silent(call), flag(call, "dry")
    flag(call, "forceCompleteEvaluation")  # checked only: every evaluation here is complete
    body = read_body(account, call)
    sent = _read(account, body, session_required=False)
    sections = read_sections(body, PROFILE_SECTIONS)
    body.faults.stop()
    with trial(account, dry=dry):
        profile = profiles.ensure(account, sent.profile_id or "")
        outcome = _happen(account, sent, profile=profile)
        return Reply(204) if quiet else Reply(200, answer(account, outcome, sections))


def _read(account: Account, body: Body, *, session_required: bool) -> _Event:
    attributes = merge({}, read_attributes(body, Catalogue(account, "Event"), required=session_required))
    if session_required:
        session_id = body.text("sessionId", required=True, least=1)
        profile_id = body.text("profileId", most=LONGEST_ID)
        return _Event(_read_type(body), attributes, profile_id, session_id)
    body.text("storeIntegrationId", least=1, most=LONGEST_ID)
    body.texts("loyaltyCards", most=1)
    campaign_ids = body.integers("evaluableCampaignIds")
    profile_id = body.text("profileId", required=True, least=1, most=LONGEST_ID)
    chosen = campaign_ids if body.has("evaluableCampaignIds") else None
    return _Event(_read_type(body), attributes, profile_id, campaign_ids=chosen)


def _read_type(body: Body) -> str:
    name = body.text("type", required=True, least=1)
    if name in BUILT_IN:
        body.faults.add("Invalid value", f'The type "{name}" is reserved for built-in events', body.at("type"))
    return name or ""


def _track_old(account: Account, sent: _Event) -> dict[str, Any]:
    session = _session(account, sent)
    profile = profiles.find(account, session.profile_integration_id) if session.profile_id else None
    outcome = _happen(account, sent, profile=profile, session=session)
    state = {
        "session": _with_discounts(session, outcome.evaluation),
        "event": outcome.event,
        "coupon": next(iter(accepted_coupons(account, session.effects, session.profile_integration_id)), None),
    }
    if profile is None:
        return {**present(state), "profile": _anonymous(account)}
    fresh = profiles.get(account, profile["integration_id"])
    shown = {"profile": profiles.profile_json(account, fresh), "loyalty": loyalty.loyalty_json(account, fresh["id"])}
    return {**present(state), **shown}


def _session(account: Account, sent: _Event) -> Session:
    """Return the session that an event names, made open and empty when missing."""
    found = store.find(account, sent.session_id or "")
    if found is None:
        return _new_session(account, sent)
    foreign = sent.profile_id not in (None, found.profile_integration_id)
    if foreign and account.options.foreign_session == "reject":
        raise invalid("Invalid value", "The session belongs to another profile", "/profileId")
    return found


def _new_session(account: Account, sent: _Event) -> Session:
    now = account.now()
    profile = profiles.ensure(account, sent.profile_id) if sent.profile_id else None
    return store.save(account, store.owned(account, Session(sent.session_id or "", created=now, updated=now), profile))


def _happen(account: Account, sent: _Event, *, profile: sqlite3.Row | None, session: Session | None = None) -> Outcome:
    return happen(
        account,
        sent.type,
        profile=profile,
        session=session,
        attributes=sent.attributes,
        campaign_ids=sent.campaign_ids,
    )


def _with_discounts(session: Session, evaluation: Evaluation) -> dict[str, Any]:
    """Return the session of version 1 with the discounts of its own updates and of this event."""
    return store.old_session_json(replace(session, effects=(*session.effects, *evaluation.effects)))


def _anonymous(account: Account) -> dict[str, Any]:
    """Return the profile of nobody: the answer of version 1 must have one."""
    now = account.now()
    return {
        "id": 0,
        "created": now,
        "integrationId": "",
        "attributes": {},
        "accountId": ACCOUNT_ID,
        "closedSessions": 0,
        "totalSales": 0,
        "lastActivity": now,
    }


HANDLERS: dict[str, Handler] = {"track_event": track_event, "track_event_v2": track_event_v2}
