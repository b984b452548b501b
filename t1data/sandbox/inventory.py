"""Operation 9: everything that one profile holds, one section for each flag of the query."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from t1data.sandbox import achievements, campaigns, coupons, giveaways, loyalty, profiles, queries, referrals
from t1data.sandbox.core import Account, Call, Handler, Reply

_HELD = """
SELECT * FROM coupon WHERE implicitly_reserved
UNION SELECT * FROM coupon WHERE recipient_integration_id = :who
UNION SELECT coupon.* FROM reservation JOIN coupon ON coupon.id = coupon_id WHERE integration_id = :who
ORDER BY 1
"""


def get_customer_inventory(account: Account, call: Call) -> Reply:
    """Return the sections asked for; each needs its own flag."""
    asked = [name for name in SECTIONS if queries.flag(call, name)]
    profile = profiles.get(account, call.path["integrationId"])
    if not asked and account.options.inventory_without_flags == "everything":
        asked = list(SECTIONS)
    return Reply(200, {name: SECTIONS[name](account, profile) for name in asked})


def _referrals(account: Account, profile: sqlite3.Row) -> list[dict[str, Any]]:
    rows = account.db.execute(
        "SELECT * FROM referral WHERE advocate = ? ORDER BY id", (profile["integration_id"],)
    ).fetchall()
    return [{**referrals.referral_json(account, row), "referredCustomers": _friends(account, row)} for row in rows]


def _friends(account: Account, referral: sqlite3.Row) -> list[str]:
    uses = account.db.execute("SELECT friend FROM referral_use WHERE referral_id = ? ORDER BY id", (referral["id"],))
    return [row["friend"] for row in uses]


def _coupons(account: Account, profile: sqlite3.Row) -> list[dict[str, Any]]:
    rows = account.db.execute(_HELD, {"who": profile["integration_id"]}).fetchall()
    return [_coupon(account, row, profile) for row in rows]


def _coupon(account: Account, row: sqlite3.Row, profile: sqlite3.Row) -> dict[str, Any]:
    uses = account.db.execute(
        "SELECT count(*) FROM redemption WHERE coupon_id = ? AND profile_id = ?", (row["id"], profile["id"])
    ).fetchone()[0]
    state = _state(account, row, uses)
    return {**coupons.coupon_json(account, row), "profileRedemptionCount": uses, "state": state}


def _state(account: Account, row: sqlite3.Row, uses: int) -> str:
    if uses or 0 < row["usage_limit"] <= row["usage_counter"]:
        return "used"
    if campaigns.is_over(row["expiry_date"], account):
        return "expired"
    if campaigns.is_disabled(account, row["campaign_id"]):
        return "disabled"
    return "pending" if campaigns.starts_later(row["start_date"], account) else "active"


Section = Callable[[Account, sqlite3.Row], Any]
SECTIONS: dict[str, Section] = {
    "profile": profiles.profile_json,
    "referrals": _referrals,
    "coupons": _coupons,
    "loyalty": lambda account, profile: loyalty.loyalty_json(account, profile["id"]),
    "giveaways": lambda account, profile: giveaways.owned(account, profile["id"]),
    "achievements": lambda account, profile: achievements.progress(account, profile["id"]),
}

HANDLERS: dict[str, Handler] = {"get_customer_inventory": get_customer_inventory}
