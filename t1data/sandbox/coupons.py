"""Coupons: operations 11 to 13 (reserve, release, holders), the coupon object, redemption.

A reservation belongs to an integration id, so that an id without a profile can hold one. A redemption makes a
reservation, which stays when the redemption is taken back.
"""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from decimal import Decimal
from typing import Any

from t1data.sandbox import campaigns, checks, codes, profiles, values
from t1data.sandbox.core import Account, Call, Handler, Reply, invalid, not_found, parse, present


def find(account: Account, code: str) -> sqlite3.Row | None:
    """Return the coupon with this code under the Application's case rule, or None."""
    if not values.is_text(code):
        return None
    row: sqlite3.Row | None = account.db.execute(
        "SELECT * FROM coupon WHERE value = ?", (codes.fold(account, code),)
    ).fetchone()
    return row


def coupon_json(account: Account, row: sqlite3.Row) -> dict[str, Any]:
    """Return the API's Coupon."""
    counter = Decimal(row["discount_counter"])
    limit = None if row["discount_limit"] is None else Decimal(row["discount_limit"])
    return present(
        {
            "id": row["id"],
            "created": row["created"],
            "campaignId": row["campaign_id"],
            "value": row["value"],
            "usageLimit": row["usage_limit"],
            "usageCounter": row["usage_counter"],
            "discountLimit": limit,
            "discountCounter": counter,
            "discountRemainder": None if limit is None else limit - counter,
            "startDate": row["start_date"],
            "expiryDate": row["expiry_date"],
            "attributes": parse(row["attributes"]),
            "referralId": row["referral_id"],
            "recipientIntegrationId": row["recipient_integration_id"],
            "importId": row["import_id"],
            "batchId": row["batch_id"],
            "reservation": bool(row["reservation"]),
            "reservationLimit": row["reservation_limit"],
            "reservationCounter": _holders(account, row),
            "limits": parse(row["limits"]),
            "isReservationMandatory": bool(row["is_reservation_mandatory"]),
            "implicitlyReserved": bool(row["implicitly_reserved"]),
        }
    )


def _holders(account: Account, row: sqlite3.Row) -> int:
    counted = account.db.execute("SELECT count(*) FROM reservation WHERE coupon_id = ?", (row["id"],)).fetchone()
    return int(counted[0])


def usable(account: Account, coupon: sqlite3.Row, profile_id: int | None) -> str | None:
    """Return why this profile cannot use the coupon now, in the words of a rejection; None when it can.

    Parameters
    ----------
    account : Account
        Gives the time and the campaigns.
    coupon : sqlite3.Row
        From `find`.
    profile_id : int, optional
        The internal id; None for an anonymous customer.
    """
    if not campaigns.is_running(account, coupon["campaign_id"]):
        return "CouponPartOfNotRunningCampaign"
    if campaigns.starts_later(coupon["start_date"], account):
        return "CouponStartDateInFuture"
    if campaigns.is_over(coupon["expiry_date"], account):
        return "CouponExpired"
    if 0 < coupon["usage_limit"] <= coupon["usage_counter"]:
        return "CouponLimitReached"
    return _not_for(account, coupon, profile_id)


def _not_for(account: Account, coupon: sqlite3.Row, profile_id: int | None) -> str | None:
    integration_id = _integration_id(account, profile_id)
    if coupon["recipient_integration_id"] not in (None, integration_id):
        return "CouponRecipientDoesNotMatch"
    if coupon["is_reservation_mandatory"] and not _is_held(account, coupon, integration_id):
        return "CouponReservationRequired"
    if any(_is_exhausted(account, coupon, limit, profile_id) for limit in parse(coupon["limits"])):
        return "ProfileLimitReached"
    return None


def _is_exhausted(account: Account, coupon: sqlite3.Row, limit: dict[str, Any], profile_id: int | None) -> bool:
    """Return whether a limit is used up: of all redemptions, or of this profile's when it names Profile."""
    if limit["action"] != "redemption":
        return False
    since = _period_start(account, limit.get("period"))
    counted = account.db.execute(
        "SELECT count(*) FROM redemption WHERE coupon_id = ? AND created >= ? AND (NOT ? OR profile_id IS ?)",
        (coupon["id"], since, "Profile" in limit["entities"], profile_id),
    ).fetchone()
    return bool(counted[0] >= limit["limit"])


def _period_start(account: Account, period: str | None) -> str:
    today = campaigns.now(account).date()
    starts = {
        "daily": today,
        "weekly": today - timedelta(days=today.weekday()),
        "monthly": today.replace(day=1),
        "yearly": today.replace(month=1, day=1),
    }
    return "" if period is None else starts[period].isoformat()


def _integration_id(account: Account, profile_id: int | None) -> str | None:
    row = account.db.execute("SELECT integration_id FROM profile WHERE id = ?", (profile_id,)).fetchone()
    return None if row is None else str(row["integration_id"])


def _is_held(account: Account, coupon: sqlite3.Row, integration_id: str | None) -> bool:
    found = account.db.execute(
        "SELECT 1 FROM reservation WHERE coupon_id = ? AND integration_id = ?", (coupon["id"], integration_id)
    ).fetchone()
    return found is not None


def redeem(account: Account, coupon: sqlite3.Row, profile_id: int | None, session_id: int | None) -> None:
    """Count one use of the coupon, and reserve it for its user.

    Parameters
    ----------
    account, coupon
        The coupon, from `find`.
    profile_id, session_id : int, optional
        Internal ids; None for an anonymous customer and for a use outside a session.
    """
    now = account.now()
    account.db.execute("UPDATE coupon SET usage_counter = usage_counter + 1 WHERE id = ?", (coupon["id"],))
    account.db.execute(
        "INSERT INTO redemption (coupon_id, profile_id, session_id, created) VALUES (?, ?, ?, ?)",
        (coupon["id"], profile_id, session_id, now),
    )
    account.db.execute(
        "INSERT INTO reservation (coupon_id, integration_id, created)"
        " SELECT ?, integration_id, ? FROM profile WHERE id = ? ON CONFLICT DO NOTHING",
        (coupon["id"], now, profile_id),
    )


def unredeem(account: Account, coupon: sqlite3.Row, session_id: int) -> None:
    """Take back the uses of the coupon that a session made: what its cancellation does."""
    gone = account.db.execute(
        "DELETE FROM redemption WHERE coupon_id = ? AND session_id = ?", (coupon["id"], session_id)
    ).rowcount
    account.db.execute("UPDATE coupon SET usage_counter = usage_counter - ? WHERE id = ?", (gone, coupon["id"]))


def create_coupon_reservation(account: Account, call: Call) -> Reply:
    """Operation 11: reserve a coupon for up to 1000 profiles; ``lastActivity`` does not move."""
    coupon = _get(account, call)
    integration_ids = _read_ids(account, call)
    if coupon["recipient_integration_id"] is not None:
        raise invalid("Invalid value", "A coupon with a recipient cannot be reserved", "/integrationIDs")
    _meet_unknown(account, integration_ids)
    _meet_repeated(account, coupon, integration_ids)
    now = account.now()
    account.db.executemany(
        "INSERT INTO reservation (coupon_id, integration_id, created) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(coupon["id"], integration_id, now) for integration_id in integration_ids],
    )
    return Reply(201, coupon_json(account, coupon))


def delete_coupon_reservation(account: Account, call: Call) -> Reply:
    """Operation 12: release a coupon for exactly these profiles; those who hold none are passed over."""
    coupon = _get(account, call)
    account.db.executemany(
        "DELETE FROM reservation WHERE coupon_id = ? AND integration_id = ?",
        [(coupon["id"], integration_id) for integration_id in _read_ids(account, call)],
    )
    return Reply(204)


def get_reserved_customers(account: Account, call: Call) -> Reply:
    """Operation 13: the profiles that hold a coupon, in the order of their ids."""
    rows = account.db.execute(
        "SELECT profile.* FROM reservation JOIN profile USING (integration_id) WHERE coupon_id = ? ORDER BY id",
        (_get(account, call)["id"],),
    ).fetchall()
    return Reply(200, {"totalResultSize": len(rows), "data": profiles.profiles_json(account, rows)})


def _get(account: Account, call: Call) -> sqlite3.Row:
    coupon = find(account, call.path["couponValue"])
    if coupon is None:
        raise not_found(f"Coupon {values.show(call.path['couponValue'])}")
    return coupon


def _read_ids(account: Account, call: Call) -> list[str]:
    body = checks.read_body(account, call)
    limit = account.options.batch_limit
    ids = body.texts("integrationIDs", required=True, most=limit, shortest=1, longest=values.LONGEST_ID)
    body.faults.stop()
    return list(dict.fromkeys(ids))


def _meet_unknown(account: Account, integration_ids: list[str]) -> None:
    rule = account.options.unknown_reservation_profile
    if rule == "create":
        profiles.ensure_many(account, integration_ids)
    elif rule == "reject":
        known = profiles.find_many(account, integration_ids)
        for integration_id in integration_ids:
            if integration_id not in known:
                raise not_found(f"Customer profile {values.show(integration_id)}")


def _meet_repeated(account: Account, coupon: sqlite3.Row, integration_ids: list[str]) -> None:
    if account.options.repeated_reservation == "accept":
        return
    for integration_id in integration_ids:
        if _is_held(account, coupon, integration_id):
            details = f"The coupon is reserved for {values.show(integration_id)} already"
            raise invalid("Invalid value", details, "/integrationIDs")


HANDLERS: dict[str, Handler] = {
    "create_coupon_reservation": create_coupon_reservation,
    "delete_coupon_reservation": delete_coupon_reservation,
    "get_reserved_customers": get_reserved_customers,
}
