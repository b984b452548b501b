"""The shapes of effects: what a rule did, as Talon.One words it.

One function an effect type. Amounts stay `Decimal` until the answer is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from t1data.sandbox.facts import Code

Effect = dict[str, Any]

DISCOUNTS = frozenset({"setDiscount", "setDiscountPerItem"})


@dataclass(frozen=True)
class Origin:
    """Where an effect comes from: campaign 0 and an empty name stand for no campaign at all."""

    campaign_id: int = 0
    ruleset_id: int = 0
    rule_index: int = 0
    rule_name: str = ""
    coupon_id: int | None = None


def effect(origin: Origin, kind: str, props: Mapping[str, Any]) -> Effect:
    """Return one effect."""
    head: Effect = {
        "campaignId": origin.campaign_id,
        "rulesetId": origin.ruleset_id,
        "ruleIndex": origin.rule_index,
        "ruleName": origin.rule_name,
        "effectType": kind,
        "props": dict(props),
    }
    return head if origin.coupon_id is None else {**head, "triggeredByCoupon": origin.coupon_id}


def accept(origin: Origin, code: Code) -> Effect:
    """Return the effect of a code that may be used."""
    return effect(origin, f"accept{code.kind}", {"value": code.value})


def reject(origin: Origin, code: Code, *, reason: str, condition: int | None = None) -> Effect:
    """Return the effect of a code that may not be used: why, and by which condition of its rule if by one."""
    props: dict[str, Any] = {"value": code.value, "rejectionReason": reason}
    if condition is not None:
        props["conditionIndex"] = condition
    return effect(origin, f"reject{code.kind}", props)


def set_discount(origin: Origin, *, name: str, value: Decimal, scope: str) -> Effect:
    """Return a discount on the whole session."""
    return effect(origin, "setDiscount", {"name": name, "value": value, "scope": scope})


def set_discount_per_item(origin: Origin, *, name: str, value: Decimal, position: int) -> Effect:
    """Return a discount on one line of the cart: `value` is for the whole line, `position` starts at 0."""
    return effect(origin, "setDiscountPerItem", {"name": name, "value": value, "position": position})


def add_loyalty_points(
    origin: Origin, *, name: str, program_id: int, ledger: str, value: Decimal, recipient: str, uuid: str
) -> Effect:
    """Return points for one customer in one ledger (``""`` is the main one)."""
    props = {
        "name": name,
        "programId": program_id,
        "subLedgerId": ledger,
        "value": value,
        "recipientIntegrationId": recipient,
        "transactionUUID": uuid,
    }
    return effect(origin, "addLoyaltyPoints", props)


def show_notification(origin: Origin, *, kind: str, title: str, body: str) -> Effect:
    """Return a message to show to the customer."""
    return effect(origin, "showNotification", {"notificationType": kind, "title": title, "body": body})


_ROLLBACKS = {
    "acceptCoupon": ("rollbackCoupon", ("value",)),
    "acceptReferral": ("rollbackReferral", ("value",)),
    "setDiscount": ("rollbackDiscount", ("name", "value", "scope")),
    "setDiscountPerItem": ("rollbackDiscount", ("name", "value")),
    "addLoyaltyPoints": (
        "rollbackAddedLoyaltyPoints",
        ("programId", "subLedgerId", "value", "recipientIntegrationId", "transactionUUID"),
    ),
}


def rollbacks(done: Iterable[Effect]) -> list[Effect]:
    """Return the effects that undo `done`, in the same order; what cannot be undone gives none."""
    return [_rollback(each) for each in done if each["effectType"] in _ROLLBACKS]


def _rollback(done: Effect) -> Effect:
    kind, names = _ROLLBACKS[done["effectType"]]
    props = {name: done["props"][name] for name in names}
    if done["effectType"] == "setDiscountPerItem":
        props["cartItemPosition"] = done["props"]["position"]
    return {**done, "effectType": kind, "props": props}


def capped(effects: Iterable[Effect], remainders: Mapping[int, Decimal]) -> list[Effect]:
    """Return `effects` with each coupon's discounts held to what is left of its discount limit.

    Parameters
    ----------
    effects : iterable of dict
        In the order in which they were granted; the first discounts eat the limit first.
    remainders : mapping of int to Decimal
        Coupon id to the amount that it may still give; a coupon that is not in it has no limit.
    """
    left = dict(remainders)
    result = []
    for each in effects:
        coupon_id = each.get("triggeredByCoupon")
        if each["effectType"] in DISCOUNTS and coupon_id in left:
            each = _cut(each, left[coupon_id])
            left[coupon_id] -= each["props"]["value"]
        result.append(each)
    return result


def _cut(discount: Effect, limit: Decimal) -> Effect:
    wanted = discount["props"]["value"]
    if wanted <= limit:
        return discount
    return {**discount, "props": {**discount["props"], "value": limit, "desiredValue": wanted}}


def old_form(each: Effect) -> list[Any]:
    """Return the array form that version 1 of the API used inside events."""
    call = [each["effectType"], *each["props"].values()]
    return [each["campaignId"], each["rulesetId"], each["ruleIndex"], call]
