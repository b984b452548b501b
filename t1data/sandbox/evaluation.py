"""Rules against facts: a pure function, which knows no database and no clock.

Every rule of every running campaign is asked whether its conditions hold; a rule with the condition ``coupon``
is asked once for each usable coupon of its campaign. What holds gives effects, what does not gives a failure
reason. Codes that no rule took are rejected at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from t1data.sandbox import effects
from t1data.sandbox.comparison import compare
from t1data.sandbox.effects import Effect, Origin
from t1data.sandbox.facts import Campaign, Code, Facts
from t1data.sandbox.grants import NewName, grant
from t1data.sandbox.money import exact

ACCEPTED = frozenset({"acceptCoupon", "acceptReferral"})


@dataclass(frozen=True)
class Evaluation:
    """What came of the rules.

    Parameters
    ----------
    effects : tuple of dict
        In the order of campaigns and rules; rejections stand last.
    failures : tuple of dict
        Items of ``ruleFailureReasons``.
    triggered : tuple of int
        The ids of the campaigns that did something other than reject.
    passed : frozenset of (int, int)
        Campaign id and index of each rule that held.
    """

    effects: tuple[Effect, ...] = ()
    failures: tuple[dict[str, Any], ...] = ()
    triggered: tuple[int, ...] = ()
    passed: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True)
class _Asked:
    """One rule, asked once: with one coupon, or with none."""

    campaign: Campaign
    rule: Mapping[str, Any]
    origin: Origin
    coupon: Code | None
    failed: tuple[int, str] | None  # number and name of the first condition that does not hold


def evaluate(campaigns: Iterable[Campaign], facts: Facts, *, new_uuid: NewName) -> Evaluation:
    """Return what the rules of `campaigns` make of `facts`.

    Parameters
    ----------
    campaigns : iterable of Campaign
        Running campaigns only, in the order in which they are to be asked.
    facts : Facts
        The event, the customer and the session.
    new_uuid : callable
        Gives a name to each grant of points.
    """
    running = tuple(campaigns)
    asked = [each for campaign in running for each in _ask(campaign, facts)]
    granted = list(_once(_granted(running, asked, facts, new_uuid)))
    limits = {code.id: code.remainder for code in facts.codes if code.remainder is not None}
    rejected = _rejections(running, asked, facts, granted) if facts.updates_session else ()
    return Evaluation(
        effects=(*effects.capped(granted, limits), *rejected),
        failures=tuple(_failure(each, *each.failed) for each in asked if each.failed),
        triggered=tuple(dict.fromkeys(effect["campaignId"] for effect in granted)),
        passed=frozenset((each.campaign.id, each.origin.rule_index) for each in asked if not each.failed),
    )


def _ask(campaign: Campaign, facts: Facts) -> Iterator[_Asked]:
    for index, rule in enumerate(campaign.rules):
        when = rule.get("when", {})
        if not _concerns(when, facts):
            continue
        for coupon in _candidates(campaign, when, facts):
            origin = Origin(campaign.id, campaign.ruleset_id, index, rule["name"], coupon.id if coupon else None)
            yield _Asked(campaign, rule, origin, coupon, _first_failure(campaign, when, facts, coupon=coupon))


def _concerns(when: Mapping[str, Any], facts: Facts) -> bool:
    """Tell whether a rule is for this event: one that names no event is for every session update."""
    if "event" in when:
        return bool(when["event"] == facts.event)
    return facts.updates_session


def _candidates(campaign: Campaign, when: Mapping[str, Any], facts: Facts) -> list[Code | None]:
    own = [code for code in facts.codes if code.kind == "Coupon" and code.usable_in(campaign.id)]
    return [*own] if "coupon" in when and own else [None]


def _first_failure(
    campaign: Campaign, when: Mapping[str, Any], facts: Facts, *, coupon: Code | None
) -> tuple[int, str] | None:
    for index, (name, wanted) in enumerate(when.items()):
        if name == "coupon":
            holds = coupon is not None
        elif name == "referral":
            holds = _referral(campaign, facts) is not None
        else:
            holds = _CONDITIONS[name](wanted, facts)
        if not holds:
            return index, name
    return None


def _referral(campaign: Campaign, facts: Facts) -> Code | None:
    own = (code for code in facts.codes if code.kind == "Referral" and code.usable_in(campaign.id))
    return next(own, None)


def _profile_holds(wanted: Any, facts: Facts) -> bool:
    tables = wanted if isinstance(wanted, list) else [wanted]
    return all(compare(facts.attributes.get(each["attribute"]), each["op"], each["value"]) for each in tables)


_CONDITIONS: Mapping[str, Callable[[Any, Facts], bool]] = {
    "event": lambda wanted, facts: True,  # a rule for another event is not even asked
    "cart_total_at_least": lambda wanted, facts: bool(facts.state) and facts.totals.cart_items >= exact(wanted),
    "first_session": lambda wanted, facts: bool(facts.state) and facts.first_session is wanted,
    "state": lambda wanted, facts: bool(facts.state == wanted),
    "profile": _profile_holds,
}


def _granted(
    campaigns: Iterable[Campaign], asked: Iterable[_Asked], facts: Facts, new_uuid: NewName
) -> Iterator[Effect]:
    for each in asked:
        if not each.failed:
            yield from _give(each, facts, new_uuid)
    if facts.updates_session:
        yield from _taken_without_rules(campaigns, facts)


def _give(asked: _Asked, facts: Facts, new_uuid: NewName) -> Iterator[Effect]:
    if asked.coupon:
        yield effects.accept(asked.origin, asked.coupon)
    referral = _referral(asked.campaign, facts)
    if referral and "referral" in asked.rule.get("when", {}):
        yield effects.accept(asked.origin, referral)
    for wanted in asked.rule["then"]:
        yield from grant(asked.origin, wanted, facts, new_uuid=new_uuid)


def _taken_without_rules(campaigns: Iterable[Campaign], facts: Facts) -> Iterator[Effect]:
    """Accept the usable codes of a campaign that has no rules at all, so that a bare seed is of use."""
    bare = [campaign for campaign in campaigns if not campaign.rules]
    for code in facts.codes:
        if any(code.usable_in(campaign.id) for campaign in bare):
            yield effects.accept(_source(code, bare), code)


def _source(code: Code, campaigns: Iterable[Campaign]) -> Origin:
    """Return where a verdict on a code comes from when no rule gave it."""
    ruleset_id = next((each.ruleset_id for each in campaigns if each.id == code.campaign_id), 0)
    coupon_id = code.id if code.kind == "Coupon" and code.id else None
    return Origin(code.campaign_id, ruleset_id, coupon_id=coupon_id)


def _once(given: Iterable[Effect]) -> Iterator[Effect]:
    """Yield the effects, but each code's acceptance only the first time: several rules may take one code."""
    taken: set[tuple[str, str]] = set()
    for effect in given:
        key = (effect["effectType"], str(effect["props"].get("value")))
        if effect["effectType"] in ACCEPTED and key in taken:
            continue
        taken.add(key)
        yield effect


def _rejections(
    campaigns: Iterable[Campaign], asked: Iterable[_Asked], facts: Facts, granted: Iterable[Effect]
) -> Iterator[Effect]:
    accepted = {(each["effectType"], each["props"]["value"]) for each in granted if each["effectType"] in ACCEPTED}
    for code in facts.codes:
        if (f"accept{code.kind}", code.value) not in accepted:
            failed = [each for each in asked if each.failed and _asked_for(each, code)]
            yield _reject(code, campaigns, failed)


def _reject(code: Code, campaigns: Iterable[Campaign], failed: list[_Asked]) -> Effect:
    if code.refusal is None and failed and failed[0].failed:
        origin, condition = failed[0].origin, failed[0].failed[0]
        return effects.reject(origin, code, reason=f"{code.kind}RejectedByCondition", condition=condition)
    reason = code.refusal or f"{code.kind}PartOfNotTriggeredCampaign"
    return effects.reject(_source(code, campaigns), code, reason=reason)


def _asked_for(asked: _Asked, code: Code) -> bool:
    if code.kind == "Coupon":
        return asked.coupon == code
    return asked.campaign.id == code.campaign_id and "referral" in asked.rule.get("when", {})


def _failure(asked: _Asked, index: int, name: str) -> dict[str, Any]:
    reason = {
        "campaignID": asked.campaign.id,
        "campaignName": asked.campaign.name,
        "rulesetID": asked.campaign.ruleset_id,
        "ruleIndex": asked.origin.rule_index,
        "ruleName": asked.origin.rule_name,
        "conditionIndex": index,
        "details": f"The condition {name} does not hold",
    }
    coupon = asked.coupon
    return {**reason, "couponID": coupon.id, "couponValue": coupon.value} if coupon else reason
