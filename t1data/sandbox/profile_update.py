"""Operation 7: update one profile, change its audiences, and run the rules over it when asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from t1data.sandbox import audiences, checks, profiles, queries
from t1data.sandbox.answers import Outcome, answer
from t1data.sandbox.attributes import Catalogue
from t1data.sandbox.core import Account, Call, Handler, Reply
from t1data.sandbox.happening import happen
from t1data.sandbox.session_body import PROFILE_SECTIONS, read_sections
from t1data.sandbox.trial import trial
from t1data.sandbox.values import LONGEST_ID, text_fault


@dataclass(frozen=True)
class _Update:
    """What one call asks for, checked."""

    integration_id: str
    attributes: dict[str, Any]
    adds: list[int]
    deletes: list[int]
    sections: tuple[str, ...]
    campaign_ids: list[int] | None


def update_customer_profile_v2(account: Account, call: Call) -> Reply:
    """Merge attributes, change audiences, answer with effects and the sections asked for.

    ``dry`` keeps nothing and counts only together with ``runRuleEngine``. Without the rules the answer has no
    effects, and of the sections only ``customerProfile``.
    """
    runs_rules = queries.flag(call, "runRuleEngine")
    dry = queries.flag(call, "dry") and runs_rules
    update = _read(account, call)
    with trial(account, dry=dry):
        is_new = profiles.find(account, update.integration_id) is None
        _apply(account, update)
        if runs_rules:
            return Reply(200, answer(account, _run_rules(account, update, is_new=is_new), update.sections))
        return Reply(200, _answer_plainly(account, update))


def _read(account: Account, call: Call) -> _Update:
    body = checks.read_body(account, call)
    sent = body.mapping("attributes")
    Catalogue(account, "CustomerProfile").check(sent, body.at("attributes"), body.faults)
    adds, deletes = _read_changes(account, body)
    sections = read_sections(body, PROFILE_SECTIONS)
    campaign_ids = body.integers("evaluableCampaignIds") if body.has("evaluableCampaignIds") else None
    wrong = text_fault(call.path["integrationId"], least=1, most=LONGEST_ID)
    if wrong:
        body.faults.add("Invalid value", f"integrationId {wrong}", "/integrationId")
    body.faults.stop()
    return _Update(call.path["integrationId"], sent, adds, deletes, sections, campaign_ids)


def _read_changes(account: Account, body: checks.Body) -> tuple[list[int], list[int]]:
    if not body.has("audiencesChanges"):
        return [], []
    changes = body.part("audiencesChanges")
    adds, deletes = changes.integers("adds", required=True), changes.integers("deletes", required=True)
    for name, ids in (("adds", adds), ("deletes", deletes)):
        for audience_id in sorted(audiences.unknown(account, ids)):
            body.faults.add("Invalid value", f"Audience {audience_id} does not exist", changes.at(name))
    return adds, deletes


def _apply(account: Account, update: _Update) -> None:
    who = update.integration_id
    profiles.merge_into(account, [profiles.ensure(account, who)], update.attributes)
    audiences.join(account, [(each, who) for each in update.adds])
    audiences.leave(account, [(each, who) for each in update.deletes])
    audiences.mark_updated(account, {*update.adds, *update.deletes})


def _run_rules(account: Account, update: _Update, *, is_new: bool) -> Outcome:
    """Let the rules see the profile as it is now."""
    event_type = "talon_profile_created" if is_new else "talon_profile_updated"
    row = profiles.get(account, update.integration_id)
    return happen(account, event_type, profile=row, campaign_ids=update.campaign_ids)


def _answer_plainly(account: Account, update: _Update) -> dict[str, Any]:
    state: dict[str, Any] = {"effects": [], "createdCoupons": [], "createdReferrals": []}
    if "customerProfile" in update.sections:
        state["customerProfile"] = profiles.profile_json(account, profiles.get(account, update.integration_id))
    return state


HANDLERS: dict[str, Handler] = {"update_customer_profile_v2": update_customer_profile_v2}
