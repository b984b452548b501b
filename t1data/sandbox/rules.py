"""Campaign rules: a small, honest part of what Talon.One's rule builder can do.

A seed file gives a campaign its rules::

    [[campaigns]]
    id = 7
    name = "Spring"
    state = "enabled"

    [[campaigns.rules]]
    name = "Ten percent with a coupon"
    when = { coupon = true, cart_total_at_least = 50 }
    then = [
        { effect = "setDiscount", name = "Spring", percent = 10 },
        { effect = "addLoyaltyPoints", program = 3, points_per_unit = 0.5 },
    ]

Only a campaign that runs is asked: it is enabled, and the time is between its start and its end. All conditions
of ``when`` must hold; without ``when`` a rule always holds. The conditions:

=======================  ==========================================================================
``coupon = true``        a usable coupon of this campaign is in the session; the rule is asked once for each
``referral = true``      a usable referral code of this campaign is in the session
``cart_total_at_least``  a number; the cart items come to at least this
``first_session``        true or false; the customer had no session before
``state``                ``"open"`` or ``"closed"``; the state that the session takes
``event``                the type of the event that the rule is for: a custom one, or a built-in one such as
                         ``"talon_session_closed"`` or ``"talon_profile_created"``; a rule without this condition
                         is for every session update
``profile``              ``{ attribute = "Tier", op = "=", value = "gold" }``, or a list of such tables; `op` is one
                         of ``= != < <= > >= contains``; an attribute without a value never matches
=======================  ==========================================================================

The effects of ``then``, one at least:

======================  ===========================================================================
``setDiscount``         `name`, and `percent` or `amount`; `scope` is ``"sessionTotal"`` (the default),
                        ``"cartItems"`` or ``"additionalCosts"``
``setDiscountPerItem``  `name`, and `percent` or `amount` (for each unit); only the items with this `sku` or
                        `category` when one is given; one effect a line of the cart
``addLoyaltyPoints``    `program` (an id), and `points` or `points_per_unit` (for each unit of money of the session's
                        total); `ledger` for another than the main one, `name` for another than the rule's
``showNotification``    `title`, `body`, `type` (``"info"`` by default)
======================  ===========================================================================

A coupon or referral code is accepted when a rule with the condition ``coupon`` or ``referral`` holds, and rejected
with a reason otherwise. A campaign without any rules accepts its own codes and grants nothing.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from t1data.sandbox import campaigns, coupons, referrals
from t1data.sandbox.codes import fold
from t1data.sandbox.core import Account, parse
from t1data.sandbox.evaluation import Evaluation, evaluate
from t1data.sandbox.facts import Campaign, Code, Facts
from t1data.sandbox.rule_checks import check_rules
from t1data.sandbox.session_store import Session

__all__ = ["check_rules", "evaluate_event"]


def evaluate_event(
    account: Account,
    event_type: str,
    *,
    profile: sqlite3.Row | None,
    session: Session | None = None,
    campaign_ids: list[int] | None = None,
) -> Evaluation:
    """Run the rules of every running campaign for one event; write nothing.

    Parameters
    ----------
    account : Account
        Gives the campaigns, the codes and the time.
    event_type : str
        A built-in or custom type.
    profile : sqlite3.Row or None
        The customer; None for an anonymous one.
    session : Session, optional
        The session that the event belongs to.
    campaign_ids : list of int, optional
        Ask only these campaigns.
    """
    facts = Facts(event_type, programs=_programs(account))
    if profile is not None:
        facts = replace(facts, profile_id=profile["integration_id"], attributes=parse(profile["attributes"]))
    if session is not None:
        facts = _with_session(account, facts, session)
    running = [each for each in _running(account) if campaign_ids is None or each.id in campaign_ids]
    return evaluate(running, facts, new_uuid=lambda: str(uuid.UUID(int=account.random.getrandbits(128), version=4)))


def _with_session(account: Account, facts: Facts, session: Session) -> Facts:
    return replace(
        facts,
        state=session.state,
        first_session=session.first_session,
        items=tuple(session.body.get("cartItems", ())),
        totals=session.totals,
        codes=tuple(_codes(account, session)),
    )


def _programs(account: Account) -> frozenset[int]:
    return frozenset(row["id"] for row in account.db.execute("SELECT id FROM loyalty_program"))


def _running(account: Account) -> Iterator[Campaign]:
    for row in account.db.execute("SELECT * FROM campaign ORDER BY id").fetchall():
        if campaigns.is_running(account, row["id"]):
            yield Campaign(row["id"], row["name"], row["ruleset_id"], tuple(parse(row["rules"])))


def _codes(account: Account, session: Session) -> Iterator[Code]:
    """Yield the codes of a session; two spellings that the case rule makes one count once."""
    sent = {fold(account, code): code for code in session.body.get("couponCodes", [])}
    for code in sent.values():
        yield _coupon(account, code, session.profile_id)
    referral = session.body.get("referralCode")
    if referral:
        yield _referral(account, referral, session.profile_id)


def _coupon(account: Account, code: str, profile_id: int | None) -> Code:
    row = coupons.find(account, code)
    if row is None:
        return Code("Coupon", code, refusal="CouponNotFound")
    refusal = coupons.usable(account, row, profile_id)
    return Code("Coupon", row["value"], row["id"], row["campaign_id"], refusal, _remainder(row))


def _remainder(coupon: sqlite3.Row) -> Decimal | None:
    if coupon["discount_limit"] is None:
        return None
    return max(Decimal(coupon["discount_limit"]) - Decimal(coupon["discount_counter"]), Decimal(0))


def _referral(account: Account, code: str, profile_id: int | None) -> Code:
    row = referrals.find(account, code)
    if row is None:
        return Code("Referral", code, refusal="ReferralNotFound")
    refusal = referrals.usable(account, row, profile_id)
    return Code("Referral", row["code"], row["id"], row["campaign_id"], refusal)
