"""Operation 7: update one profile, change its audiences, and run the rules over it when asked."""

from __future__ import annotations

import importlib
import importlib.util
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from t1data.sandbox import achievements, attributes, audiences, checks, coupons, loyalty, profiles, referrals
from t1data.sandbox.core import Account, Call, Handler, Reply

SECTIONS = (
    "customerProfile",
    "triggeredCampaigns",
    "loyalty",
    "event",
    "awardedGiveaways",
    "ruleFailureReasons",
    "campaignEligibility",
    "achievements",
)


@dataclass(frozen=True)
class _Update:
    """What one call asks for, checked."""

    integration_id: str
    attributes: dict[str, Any]
    adds: list[int]
    deletes: list[int]
    sections: list[str]
    runs_rules: bool
    dry: bool


def update_customer_profile_v2(account: Account, call: Call) -> Reply:
    """Merge attributes, change audiences, answer with effects and the sections asked for.

    ``dry`` keeps nothing and counts only together with ``runRuleEngine``. Without the rules, only
    ``customerProfile`` can be asked for; the other sections are left out.
    """
    update = _read(account, call)
    with _kept_unless(account, dry=update.dry):
        row, is_new = _apply(account, update)
        effects = _effects(account, row, is_new=is_new) if update.runs_rules else []
        return Reply(200, _answer(account, update, effects))


def _read(account: Account, call: Call) -> _Update:
    runs_rules = checks.flag(call, "runRuleEngine")
    dry = checks.flag(call, "dry") and runs_rules
    body = checks.read_body(account, call)
    values = body.mapping("attributes")
    attributes.Catalogue(account, "CustomerProfile").check(values, body.at("attributes"), body.faults)
    adds, deletes = _read_changes(account, body)
    sections = _read_sections(body)
    body.integers("evaluableCampaignIds")
    wrong = checks.text_fault(call.path["integrationId"], least=1, most=checks.LONGEST_ID)
    if wrong:
        body.faults.add("Invalid value", f"integrationId {wrong}", "/integrationId")
    body.faults.stop()
    return _Update(call.path["integrationId"], values, adds, deletes, sections, runs_rules, dry)


def _read_changes(account: Account, body: checks.Body) -> tuple[list[int], list[int]]:
    if not body.has("audiencesChanges"):
        return [], []
    changes = body.part("audiencesChanges")
    adds, deletes = changes.integers("adds", required=True), changes.integers("deletes", required=True)
    for name, ids in (("adds", adds), ("deletes", deletes)):
        for audience_id in sorted(audiences.unknown(account, ids)):
            body.faults.add("Invalid value", f"Audience {audience_id} does not exist", changes.at(name))
    return adds, deletes


def _read_sections(body: checks.Body) -> list[str]:
    asked = body.texts("responseContent")
    for index, name in enumerate(asked):
        if isinstance(name, str) and name not in SECTIONS:
            words = ", ".join(f'"{word}"' for word in SECTIONS)
            details = f"responseContent must be one of the following: {words}"
            body.faults.add("enum", details, checks.step(body.at("responseContent"), index))
    return asked


@contextmanager
def _kept_unless(account: Account, *, dry: bool) -> Iterator[None]:
    """Take back, when `dry`, all that is written inside."""
    account.db.execute("SAVEPOINT update_profile")
    try:
        yield
    finally:
        if dry:
            account.db.execute("ROLLBACK TO update_profile")
        account.db.execute("RELEASE update_profile")


def _apply(account: Account, update: _Update) -> tuple[sqlite3.Row, bool]:
    who = update.integration_id
    is_new = profiles.find(account, who) is None
    profiles.merge_into(account, [profiles.ensure(account, who)], update.attributes)
    audiences.join(account, [(each, who) for each in update.adds])
    audiences.leave(account, [(each, who) for each in update.deletes])
    audiences.mark_updated(account, {*update.adds, *update.deletes})
    return profiles.get(account, who), is_new


def _effects(account: Account, row: sqlite3.Row, *, is_new: bool) -> list[dict[str, Any]]:
    profiles.touch_activity(account, row)
    if importlib.util.find_spec("t1data.sandbox.rules") is None:
        return []
    rules = importlib.import_module("t1data.sandbox.rules")
    event_type = "talon_profile_created" if is_new else "talon_profile_updated"
    effects: list[dict[str, Any]] = rules.evaluate_profile(account, row, event_type=event_type)
    return effects


def _answer(account: Account, update: _Update, effects: list[dict[str, Any]]) -> dict[str, Any]:
    row = profiles.get(account, update.integration_id)
    sections = update.sections if update.runs_rules else [name for name in update.sections if name == SECTIONS[0]]
    return {
        "effects": effects,
        "createdCoupons": list(_created_coupons(account, effects)),
        "createdReferrals": list(_created_referrals(account, effects)),
        **{name: _section(account, row, name) for name in sections},
    }


def _section(account: Account, row: sqlite3.Row, name: str) -> Any:
    if name == "customerProfile":
        return profiles.profile_json(account, row)
    if name == "loyalty":
        return loyalty.loyalty_json(account, row["id"])
    if name == "achievements":
        return achievements.progress(account, row["id"])
    return None if name == "event" else []


def _created_coupons(account: Account, effects: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for code in _values(effects, "couponCreated"):
        coupon = coupons.find(account, code)
        if coupon is not None:
            yield coupons.coupon_json(account, coupon)


def _created_referrals(account: Account, effects: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for code in _values(effects, "referralCreated"):
        referral = referrals.find(account, code)
        if referral is not None:
            yield referrals.referral_json(account, referral)


def _values(effects: Iterable[dict[str, Any]], kind: str) -> list[str]:
    return [effect["props"]["value"] for effect in effects if effect["effectType"] == kind]


HANDLERS: dict[str, Handler] = {"update_customer_profile_v2": update_customer_profile_v2}
