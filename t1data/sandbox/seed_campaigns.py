"""The campaigns of a seed, with their coupons, referral codes and achievements."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from t1data.sandbox import codes, profiles
from t1data.sandbox.checks import Body
from t1data.sandbox.core import Account, dump
from t1data.sandbox.rule_checks import check_rules
from t1data.sandbox.seed_tables import allow, attributes_text, id_of, insert, person, profile_id
from t1data.sandbox.values import is_number, moment, text_fault

STATES = ("enabled", "disabled", "archived")
FEATURES = ("coupons", "referrals", "loyalty", "giveaways", "achievements")
PERIODS = ("daily", "weekly", "monthly", "yearly")
ENTITIES = ("Coupon", "Referral", "Profile", "Identifier", "Store", "Session")
MOST_USES = 999_999
MOST_DISCOUNT = 10**15


def write_campaign(account: Account, record: Body) -> None:
    """Write one campaign and all that belongs to it."""
    allow(record, *_CAMPAIGN_KEYS)
    fields = _read_campaign(account, record)
    campaign_id = 0
    if not record.faults.items:
        campaign_id = insert(account, "campaign", fields)
        account.db.execute("UPDATE campaign SET ruleset_id = id WHERE id = ?", (campaign_id,))
    for coupon in record.parts("coupons"):
        _write_coupon(account, coupon, campaign_id)
    for referral in record.parts("referrals"):
        _write_referral(account, referral, campaign_id)
    for achievement in record.parts("achievements"):
        _write_achievement(account, achievement, campaign_id)


_CAMPAIGN_KEYS = (
    "id",
    "name",
    "state",
    "description",
    "features",
    "start_time",
    "end_time",
    "audiences",
    "rules",
    "coupons",
    "referrals",
    "achievements",
)


def _read_campaign(account: Account, record: Body) -> dict[str, Any]:
    start, end = _read_times(record, "start_time", "end_time")
    return {
        "id": id_of(record),
        "name": record.text("name", required=True, least=1),
        "state": record.choice("state", STATES),
        "description": record.text("description"),
        "features": dump(_read_words(record, "features", FEATURES)),
        "start_time": start,
        "end_time": end,
        "audiences": dump(_read_audiences(account, record)),
        "rules": dump(_read_rules(record)),
        "ruleset_id": 0,
        "created": account.now(),
    }


def _read_times(record: Body, first: str, last: str) -> tuple[str | None, str | None]:
    start, end = record.time(first), record.time(last)
    if start and end and moment(end) <= moment(start):
        record.faults.add("Invalid value", f"{last} must be after {first}", record.at(last))
    return start, end


def _read_words(record: Body, name: str, allowed: tuple[str, ...]) -> list[str]:
    words = record.texts(name)
    for word in words:
        if isinstance(word, str) and word not in allowed:
            record.faults.add("enum", f"{word!r} is none of {', '.join(allowed)}", record.at(name))
    return words


def _read_audiences(account: Account, record: Body) -> list[int]:
    known = dict(account.db.execute("SELECT name, id FROM audience").fetchall())
    names = record.texts("audiences")
    for name in names:
        if not record.faults.items and name not in known:
            record.faults.add("Unknown", f"there is no audience {name!r}", record.at("audiences"))
    return [known[name] for name in names if isinstance(name, str) and name in known]


def _read_rules(record: Body) -> list[Any]:
    rules = record.array("rules")
    try:
        check_rules(rules, "rules")
    except ValueError as error:
        record.faults.add("Invalid value", str(error), record.at("rules"))
    return rules


def _write_coupon(account: Account, record: Body, campaign_id: int) -> None:
    allow(record, *_COUPON_KEYS)
    fields = _read_coupon(account, record)
    holders = record.texts("reserved_for", shortest=1)
    if record.faults.items:
        return
    profiles.ensure_many(account, [*holders, *filter(None, [fields["recipient_integration_id"]])])
    coupon_id = insert(account, "coupon", {**fields, "campaign_id": campaign_id, "created": account.now()})
    account.db.executemany(
        "INSERT INTO reservation (coupon_id, integration_id, created) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(coupon_id, holder, account.now()) for holder in holders],
    )


_COUPON_KEYS = (
    "id",
    "value",
    "usage_limit",
    "discount_limit",
    "start_date",
    "expiry_date",
    "attributes",
    "recipient",
    "batch_id",
    "reservation_limit",
    "is_reservation_mandatory",
    "implicitly_reserved",
    "limits",
    "reserved_for",
)


def _read_coupon(account: Account, record: Body) -> dict[str, Any]:
    value = record.text("value", required=True, least=codes.SHORTEST, most=codes.LONGEST)
    limit = record.number("discount_limit", least=0, most=MOST_DISCOUNT)
    start, end = _read_times(record, "start_date", "expiry_date")
    recipient = person(record, "recipient")
    return {
        "id": id_of(record),
        "value": codes.fold(account, value or ""),
        "usage_limit": record.integer("usage_limit", least=0, most=MOST_USES),
        "discount_limit": None if limit is None else str(limit),
        "start_date": start,
        "expiry_date": end,
        "attributes": attributes_text(account, record, "Coupon"),
        "recipient_integration_id": recipient,
        "batch_id": record.text("batch_id"),
        "reservation": recipient is None,  # today's text: false is a personal coupon
        "reservation_limit": record.integer("reservation_limit", least=0, most=MOST_USES),
        "is_reservation_mandatory": record.boolean("is_reservation_mandatory"),
        "implicitly_reserved": record.boolean("implicitly_reserved"),
        "limits": dump([_read_limit(limit) for limit in record.parts("limits")]),
    }


def _read_limit(record: Body) -> dict[str, Any]:
    allow(record, "action", "limit", "period", "entities")
    limit = {
        "action": record.choice("action", ("redemption", "reservation", "createCoupon"), required=True),
        "limit": record.integer("limit", required=True, least=1),
        "entities": _read_words(record, "entities", ENTITIES),
    }
    period = record.choice("period", PERIODS)
    return {**limit, "period": period} if period else limit


def _write_referral(account: Account, record: Body, campaign_id: int) -> None:
    names = ("id", "code", "advocate", "friend", "usage_limit", "start_date", "expiry_date", "attributes", "batch_id")
    allow(record, *names)
    code = record.text("code", required=True, least=codes.SHORTEST, most=codes.LONGEST)
    start, end = _read_times(record, "start_date", "expiry_date")
    advocate = person(record, "advocate", required=True)
    fields = {
        "id": id_of(record),
        "campaign_id": campaign_id,
        "code": codes.fold(account, code or ""),
        "advocate": advocate,
        "friend": person(record, "friend"),
        "usage_limit": record.integer("usage_limit", least=0, most=MOST_USES),
        "start_date": start,
        "expiry_date": end,
        "attributes": attributes_text(account, record, "Referral"),
        "batch_id": record.text("batch_id"),
        "created": account.now(),
    }
    if advocate is not None and not record.faults.items:
        profiles.ensure(account, advocate)
        insert(account, "referral", fields)


def _write_achievement(account: Account, record: Body, campaign_id: int) -> None:
    allow(record, "id", "name", "title", "description", "target", "end_date", "progress")
    target = record.number("target", required=True, least=0) or 0
    fields = {
        "id": id_of(record),
        "campaign_id": campaign_id,
        "name": record.text("name", required=True, least=1),
        "title": record.text("title", required=True, least=1),
        "description": record.text("description"),
        "target": str(target),
        "end_date": record.time("end_date"),
        "created": account.now(),
    }
    progress = _read_progress(record)
    if not record.faults.items:
        achievement_id = insert(account, "achievement", fields)
        for who, reached in progress.items():
            _write_progress(account, achievement_id, profile_id(account, who), reached, done=reached >= Decimal(target))


def _read_progress(record: Body) -> dict[str, Any]:
    progress = record.mapping("progress")
    for who, reached in progress.items():
        if text_fault(who, least=1) or not is_number(reached):
            record.faults.add("Invalid value", "progress must be numbers by integration id", record.at("progress"))
    return progress


def _write_progress(account: Account, achievement_id: int, owner: int | None, reached: Any, *, done: bool) -> None:
    now = account.now()
    insert(
        account,
        "achievement_progress",
        {
            "achievement_id": achievement_id,
            "profile_id": owner,
            "progress": str(reached),
            "start_date": now,
            "completion_date": now if done else None,
        },
    )
