"""The rest of a seed: attributes, audiences, profiles, loyalty programs, giveaways, additional costs."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from t1data.sandbox import attributes, audiences, codes, loyalty, profiles
from t1data.sandbox.checks import Body
from t1data.sandbox.core import Account, dump
from t1data.sandbox.seed_campaigns import write_campaign
from t1data.sandbox.seed_tables import (
    allow,
    attributes_text,
    id_of,
    insert,
    person,
    profile_id,
    read_attributes,
)
from t1data.sandbox.values import LONGEST_ID


def write(account: Account, seed: Body) -> None:
    """Write a whole seed; its faults are in the body afterwards, and then nothing of it may be kept."""
    allow(seed, *_WRITERS)
    for name, writer in _WRITERS.items():
        for record in seed.parts(name):
            writer(account, record)


def _write_attribute(account: Account, record: Body) -> None:
    allow(record, "entity", "name", "type", "title", "description", "suggestions", "restricted", "event_type")
    entity = record.choice("entity", attributes.ENTITIES, required=True) or ""
    name = record.text("name", required=True) or ""
    kind = record.choice("type", tuple(attributes.TYPES), required=True) or ""
    title, description = record.text("title"), record.text("description")
    suggestions, restricted = record.texts("suggestions"), record.boolean("restricted")
    event_type = record.text("event_type")
    if name and not attributes.NAME.fullmatch(name):
        record.faults.add("Invalid value", "name must be letters, digits and _, a letter first", record.at("name"))
    if not record.faults.items and not _is_defined(account, record, entity, name, kind):
        attributes.define(
            account,
            entity,
            name,
            kind,
            title=title,
            description=description or "",
            suggestions=suggestions,
            restricted=restricted,
            event_type=event_type,
        )


def _is_defined(account: Account, record: Body, entity: str, name: str, kind: str) -> bool:
    row = account.db.execute("SELECT type FROM attribute WHERE entity = ? AND name = ?", (entity, name)).fetchone()
    if row is not None and row["type"] != kind:
        record.faults.add("Invalid value", f"{name} exists with the type {row['type']}", record.at("type"))
    return row is not None


def _write_audience(account: Account, record: Body) -> None:
    allow(record, "id", "name", "integration", "integration_id", "description", "members")
    fields = {
        "id": id_of(record),
        "name": record.text("name", required=True, least=1),
        "integration": record.text("integration"),
        "integration_id": record.text("integration_id", most=LONGEST_ID),
        "description": record.text("description"),
        "sandbox": account.options.environment == "sandbox",
        "created": account.now(),
    }
    members = record.texts("members", shortest=1, longest=LONGEST_ID)
    if not record.faults.items:
        audience_id = insert(account, "audience", fields)
        profiles.ensure_many(account, members)
        audiences.join(account, [(audience_id, member) for member in members])


def _write_profile(account: Account, record: Body) -> None:
    allow(record, "integration_id", "attributes")
    who = person(record, "integration_id", required=True)
    values = read_attributes(account, record, "CustomerProfile")
    if who is not None and not record.faults.items:
        profiles.merge_into(account, [profiles.ensure(account, who)], values)


def _write_program(account: Account, record: Body) -> None:
    allow(record, "id", "name", "title", "subledgers", "tiers", "points")
    name = record.text("name", required=True, least=1)
    subledgers = record.texts("subledgers", shortest=1)
    fields = {
        "id": id_of(record),
        "name": name,
        "title": record.text("title") or name,
        "subledgers": dump(subledgers),
        "tiers": dump(_read_tiers(record)),
        "created": account.now(),
    }
    program_id = 0 if record.faults.items else insert(account, "loyalty_program", fields)
    for points in record.parts("points"):
        _write_points(account, points, program_id, subledgers)


def _read_tiers(record: Body) -> list[dict[str, Any]]:
    tiers = [_read_tier(tier) for tier in record.parts("tiers")]
    rising = sorted(tiers, key=lambda tier: Decimal(tier["min_points"] or 0))
    return [{"id": number, **tier} for number, tier in enumerate(rising, 1)]


def _read_tier(record: Body) -> dict[str, Any]:
    allow(record, "name", "min_points")
    return {
        "name": record.text("name", required=True, least=1),
        "min_points": record.number("min_points", required=True, least=0),
    }


def _write_points(account: Account, record: Body, program_id: int, subledgers: list[str]) -> None:
    allow(record, "profile", "amount", "ledger", "reason", "start_date", "expiry_date")
    who, amount = person(record, "profile", required=True), record.number("amount", required=True)
    ledger, reason = record.text("ledger") or "", record.text("reason") or ""
    start, expiry = record.time("start_date"), record.time("expiry_date")
    if ledger and ledger not in subledgers:
        record.faults.add("Unknown", f"there is no subledger {ledger!r}", record.at("ledger"))
    if not record.faults.items:
        loyalty.add_points(
            account,
            program_id,
            profile_id(account, who) or 0,
            amount or 0,
            ledger=ledger,
            reason=reason,
            start_date=start,
            expiry_date=expiry,
        )


def _write_pool(account: Account, record: Body) -> None:
    allow(record, "id", "name", "codes")
    fields = {"id": id_of(record), "name": record.text("name", required=True, least=1), "created": account.now()}
    pool_id = 0 if record.faults.items else insert(account, "giveaway_pool", fields)
    for code in record.parts("codes"):
        _write_giveaway(account, code, pool_id)


def _write_giveaway(account: Account, record: Body, pool_id: int) -> None:
    allow(record, "code", "owner", "start_date", "end_date", "attributes")
    fields = {
        "pool_id": pool_id,
        "code": record.text("code", required=True, least=1, most=codes.LONGEST),
        "start_date": record.time("start_date"),
        "end_date": record.time("end_date"),
        "attributes": attributes_text(account, record, "Giveaway"),
        "created": account.now(),
    }
    owner = person(record, "owner")
    if not record.faults.items:
        insert(account, "giveaway", {**fields, "profile_id": profile_id(account, owner)})


def _write_cost(account: Account, record: Body) -> None:
    allow(record, "name", "title", "subject")
    name = record.text("name", required=True, least=1)
    fields = {
        "name": name,
        "title": record.text("title") or name,
        "subject": record.choice("subject", ("session", "item", "both")),
    }
    if not record.faults.items:
        insert(account, "additional_cost", fields)


# The order counts: attributes stand before what has values, audiences before the campaigns that name them.
_WRITERS: dict[str, Callable[[Account, Body], None]] = {
    "attributes": _write_attribute,
    "audiences": _write_audience,
    "profiles": _write_profile,
    "campaigns": write_campaign,
    "loyalty_programs": _write_program,
    "giveaway_pools": _write_pool,
    "additional_costs": _write_cost,
}
