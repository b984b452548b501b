"""The sections of an answer that ran the rules: what is always there, and what ``responseContent`` asks for."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from t1data.sandbox import achievements, campaigns, coupons, loyalty, profiles, referrals
from t1data.sandbox.core import Account, parse, present
from t1data.sandbox.effects import Effect
from t1data.sandbox.evaluation import Evaluation
from t1data.sandbox.session_store import Session, session_json

USER_ID = 1


@dataclass(frozen=True)
class Outcome:
    """What one call came to.

    Parameters
    ----------
    evaluation : Evaluation
        Of the rules.
    event : mapping
        The event that the call made, in the API's form.
    profile_id : str
        The customer's id, ``""`` for an anonymous one.
    session : Session, optional
        The session as it stands now.
    """

    evaluation: Evaluation
    event: Mapping[str, Any]
    profile_id: str = ""
    session: Session | None = None


def answer(account: Account, outcome: Outcome, sections: Iterable[str]) -> dict[str, Any]:
    """Return the body of the answer.

    Parameters
    ----------
    account : Account
        Holds what the sections show.
    outcome : Outcome
        What the call came to.
    sections : iterable of str
        What ``responseContent`` asked for. A section that has nothing to show, such as the profile of an
        anonymous customer, is left out.
    """
    asked = dict.fromkeys(sections)
    if account.options.environment == "sandbox":
        asked["ruleFailureReasons"] = None  # an Application of type sandbox tells them unasked
    shown = {name: _SECTIONS[name](account, outcome) for name in asked}
    always = {"effects": list(outcome.evaluation.effects), "createdCoupons": [], "createdReferrals": []}
    return {**always, **present(shown)}


def _profile(account: Account, outcome: Outcome) -> sqlite3.Row | None:
    return profiles.find(account, outcome.profile_id) if outcome.profile_id else None


def _customer_profile(account: Account, outcome: Outcome) -> dict[str, Any] | None:
    row = _profile(account, outcome)
    return None if row is None else profiles.profile_json(account, row)


def _loyalty(account: Account, outcome: Outcome) -> dict[str, Any] | None:
    row = _profile(account, outcome)
    return None if row is None else loyalty.loyalty_json(account, row["id"])


def _achievements(account: Account, outcome: Outcome) -> list[dict[str, Any]] | None:
    row = _profile(account, outcome)
    return None if row is None else achievements.progress(account, row["id"])


def _values(effects: Iterable[Effect], kind: str) -> list[str]:
    return [each["props"]["value"] for each in effects if each["effectType"] == kind]


def _accepted(effects: Iterable[Effect], kind: str) -> list[str]:
    """Return the codes that these effects accept, or give back because a session was cancelled."""
    done = list(effects)
    return _values(done, f"accept{kind}") + _values(done, f"rollback{kind}")


def accepted_coupons(account: Account, effects: Iterable[Effect], profile_id: str) -> list[dict[str, Any]]:
    """Return the coupons that effects accept, each with the number of its uses by this customer."""
    rows = [coupons.find(account, code) for code in _accepted(effects, "Coupon")]
    return [_coupon(account, row, profile_id) for row in rows if row]


def _coupon(account: Account, row: sqlite3.Row, profile_id: str) -> dict[str, Any]:
    uses = account.db.execute(
        "SELECT count(*) FROM redemption JOIN profile ON profile.id = profile_id"
        " WHERE coupon_id = ? AND integration_id = ?",
        (row["id"], profile_id),
    ).fetchone()
    return {**coupons.coupon_json(account, row), "profileRedemptionCount": uses[0]}


def _referral(account: Account, outcome: Outcome) -> dict[str, Any] | None:
    row = next((referrals.find(account, code) for code in _accepted(outcome.evaluation.effects, "Referral")), None)
    if row is None:
        return None
    friends = account.db.execute("SELECT friend FROM referral_use WHERE referral_id = ? ORDER BY id", (row["id"],))
    return {**referrals.referral_json(account, row), "referredCustomers": [friend for (friend,) in friends]}


def _triggered(account: Account, outcome: Outcome) -> list[dict[str, Any]]:
    rows = [campaigns.find(account, campaign_id) for campaign_id in outcome.evaluation.triggered]
    return [campaign_json(row) for row in rows if row]


def campaign_json(row: sqlite3.Row) -> dict[str, Any]:
    """Return the API's Campaign, with the members that its schema requires."""
    return {
        **_campaign_head(row),
        "created": row["created"],
        "userId": USER_ID,
        "activeRulesetId": row["ruleset_id"],
        "limits": [],
        "type": "advanced",
        "reevaluateOnReturn": False,
        "frontendState": "running",
        "storesImported": False,
    }


def _campaign_head(row: sqlite3.Row) -> dict[str, Any]:
    return present(
        {
            "id": row["id"],
            "applicationId": row["application_id"],
            "name": row["name"],
            "description": row["description"],
            "startTime": row["start_time"],
            "endTime": row["end_time"],
            "attributes": {},
            "state": row["state"],
            "tags": [],
            "features": parse(row["features"]),
        }
    )


def _eligibility(account: Account, outcome: Outcome) -> list[dict[str, Any]]:
    """Return, for every running campaign, whether it did something and which of its rules failed."""
    rows = account.db.execute("SELECT * FROM campaign ORDER BY id").fetchall()
    return [_eligible(row, outcome.evaluation) for row in rows if campaigns.is_running(account, row["id"])]


def _eligible(row: sqlite3.Row, evaluation: Evaluation) -> dict[str, Any]:
    failures = [each for each in evaluation.failures if each["campaignID"] == row["id"]]
    rules = [
        {"title": rule["name"], "eligibility": _rule_verdicts((row["id"], index), evaluation)}
        for index, rule in enumerate(parse(row["rules"]))
    ]
    if row["id"] in evaluation.triggered:
        verdict: dict[str, Any] = {"passed": True}
    else:
        verdict = {"passed": False, "details": {"failureCode": "ALL_RULES_FAILED" if failures else "SKIPPED"}}
    return {**_campaign_head(row), "eligibility": [verdict], "rules": rules}


def _rule_verdicts(rule: tuple[int, int], evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return how a rule, named by campaign and index, fared each time it was asked; empty when it was not."""
    shown = ("couponID", "couponValue", "conditionIndex", "details")
    failed = [
        {"failureCode": "CONDITION_NOT_MET", **{name: each[name] for name in shown if name in each}}
        for each in evaluation.failures
        if (each["campaignID"], each["ruleIndex"]) == rule
    ]
    verdicts: list[dict[str, Any]] = [{"passed": False, "details": details} for details in failed]
    return [{"passed": True}, *verdicts] if rule in evaluation.passed else verdicts


_SECTIONS: Mapping[str, Callable[[Account, Outcome], Any]] = {
    "customerProfile": _customer_profile,
    "triggeredCampaigns": _triggered,
    "loyalty": _loyalty,
    # The 2026 schema wants these effects as arrays, the official SDK as objects; none at all suits both, and
    # version 2 has them beside the event anyway.
    "event": lambda account, outcome: {**outcome.event, "effects": []},
    "awardedGiveaways": lambda account, outcome: [],
    "ruleFailureReasons": lambda account, outcome: list(outcome.evaluation.failures),
    "campaignEligibility": _eligibility,
    "achievements": _achievements,
    "customerSession": lambda account, outcome: outcome.session and session_json(outcome.session),
    "coupons": lambda account, outcome: accepted_coupons(account, outcome.evaluation.effects, outcome.profile_id),
    "referral": _referral,
    "previousReturns": lambda account, outcome: [],
}
