"""Customer profiles: operations 7 (update one), 8 (update many) and 10 (erase), and the profile object."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from t1data.sandbox import attributes as attribute_rules
from t1data.sandbox import checks, queries, values
from t1data.sandbox.core import ACCOUNT_ID, Account, Call, Handler, Reply, dump, not_found, parse

VARIABLES_AT_ONCE = 500


def find(account: Account, integration_id: str) -> sqlite3.Row | None:
    """Return the profile with this id, or None; ids are case-sensitive."""
    row: sqlite3.Row | None = account.db.execute(
        "SELECT * FROM profile WHERE integration_id = ?", (integration_id,)
    ).fetchone()
    return row


def get(account: Account, integration_id: str) -> sqlite3.Row:
    """Return the profile with this id; raise the 404 when there is none."""
    row = find(account, integration_id) if values.is_text(integration_id) else None
    if row is None:
        raise not_found(f"Customer profile {values.show(integration_id)}")
    return row


def ensure(account: Account, integration_id: str) -> sqlite3.Row:
    """Return the profile with this id, made empty when it was missing."""
    now = account.now()
    account.db.execute(
        "INSERT INTO profile (integration_id, created, last_activity) VALUES (?, ?, ?)"
        " ON CONFLICT (integration_id) DO NOTHING",
        (integration_id, now, now),
    )
    return get(account, integration_id)


def find_many(account: Account, integration_ids: Iterable[str]) -> dict[str, sqlite3.Row]:
    """Return the profiles that exist among these ids, by id."""
    ids = list(dict.fromkeys(integration_ids))
    found: dict[str, sqlite3.Row] = {}
    for start in range(0, len(ids), VARIABLES_AT_ONCE):
        some = ids[start : start + VARIABLES_AT_ONCE]
        marks = ",".join("?" * len(some))
        rows = account.db.execute(f"SELECT * FROM profile WHERE integration_id IN ({marks})", some)  # noqa: S608
        found.update((row["integration_id"], row) for row in rows)
    return found


def ensure_many(account: Account, integration_ids: Iterable[str]) -> None:
    """Make an empty profile for each of these ids that has none."""
    now = account.now()
    account.db.executemany(
        "INSERT INTO profile (integration_id, created, last_activity) VALUES (?, ?, ?)"
        " ON CONFLICT (integration_id) DO NOTHING",
        [(integration_id, now, now) for integration_id in integration_ids],
    )


def touch_activity(account: Account, row: sqlite3.Row) -> None:
    """Move ``lastActivity`` to now: what a call that runs the rule engine does."""
    account.db.execute("UPDATE profile SET last_activity = ? WHERE id = ?", (account.now(), row["id"]))


def merge_into(account: Account, rows: Iterable[sqlite3.Row], attributes: Mapping[str, Any]) -> None:
    """Merge attributes that have been checked into each of these profiles."""
    _store(
        account,
        {row["integration_id"]: _merged(account, parse(row["attributes"]), attributes) for row in rows},
    )


def _merged(account: Account, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    return attribute_rules.merge(old, new, null_clears=account.options.null_clears)


def profile_json(account: Account, row: sqlite3.Row) -> dict[str, Any]:
    """Return the API's CustomerProfile."""
    return profiles_json(account, [row])[0]


def profiles_json(account: Account, rows: Sequence[sqlite3.Row]) -> list[dict[str, Any]]:
    """Return the API's CustomerProfile of each row, in their order."""
    memberships = _memberships(account, [row["id"] for row in rows])
    sandbox = account.options.environment == "sandbox"
    return [
        {
            "id": row["id"],
            "created": row["created"],
            "integrationId": row["integration_id"],
            "attributes": parse(row["attributes"]),
            "accountId": ACCOUNT_ID,
            "closedSessions": row["closed_sessions"],
            "totalSales": Decimal(row["total_sales"]),
            "loyaltyMemberships": None,  # the real API answers null here, always
            "audienceMemberships": memberships.get(row["id"], []),
            "lastActivity": row["last_activity"],
            "sandbox": sandbox,
        }
        for row in rows
    ]


def _memberships(account: Account, profile_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for start in range(0, len(profile_ids), VARIABLES_AT_ONCE):
        some = profile_ids[start : start + VARIABLES_AT_ONCE]
        rows = account.db.execute(
            "SELECT profile_id, id, name FROM membership JOIN audience ON id = audience_id"  # noqa: S608
            f" WHERE profile_id IN ({','.join('?' * len(some))}) ORDER BY id",
            some,
        )
        for profile_id, audience_id, name in rows:
            found.setdefault(profile_id, []).append({"id": audience_id, "name": name})
    return found


def update_customer_profiles_v2(account: Account, call: Call) -> Reply:
    """Operation 8: merge the attributes of up to 1000 profiles, creating those that are new."""
    silent = queries.silent(call)
    updates = _read_batch(account, call)
    known = find_many(account, (integration_id for integration_id, _ in updates))
    after = {integration_id: parse(row["attributes"]) for integration_id, row in known.items()}
    for integration_id, attributes in updates:
        after[integration_id] = _merged(account, after.get(integration_id, {}), attributes)
    _store(account, after)
    if silent:
        return Reply(204)
    return Reply(200, {"integrationStates": _states(account, [integration_id for integration_id, _ in updates])})


def _store(account: Account, attributes: Mapping[str, Mapping[str, Any]]) -> None:
    now = account.now()
    account.db.executemany(
        "INSERT INTO profile (integration_id, attributes, created, last_activity) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (integration_id) DO UPDATE SET attributes = excluded.attributes",
        [(integration_id, dump(values), now, now) for integration_id, values in attributes.items()],
    )


def _states(account: Account, integration_ids: list[str]) -> list[dict[str, Any]]:
    rows = find_many(account, integration_ids)
    states = [
        {"customerProfile": profile}
        for profile in profiles_json(account, [rows[integration_id] for integration_id in integration_ids])
    ]
    if account.options.response_order == "shuffled":
        account.random.shuffle(states)
    return states


def _read_batch(account: Account, call: Call) -> list[tuple[str, dict[str, Any]]]:
    body = checks.read_body(account, call)
    catalogue = attribute_rules.Catalogue(account, "CustomerProfile")
    skip_bad = account.options.bad_batch_item == "skip_bad"
    updates: list[tuple[str, dict[str, Any]]] = []
    for item in body.parts("customerProfiles", required=True, most=account.options.batch_limit):
        before = len(body.faults.items)
        integration_id = item.text("integrationId", required=True, least=1, most=values.LONGEST_ID)
        attributes = item.mapping("attributes")
        catalogue.check(attributes, item.at("attributes"), body.faults)
        if integration_id is not None and len(body.faults.items) == before:
            updates.append((integration_id, attributes))
    _refuse_repeats(account, call, body.faults)
    if not (skip_bad and updates):
        body.faults.stop()
    return updates


def _refuse_repeats(account: Account, call: Call, faults: checks.Faults) -> None:
    if account.options.duplicate_in_batch == "last" or faults.items:
        return
    seen: set[str] = set()
    for index, item in enumerate(call.body["customerProfiles"]):
        if item["integrationId"] in seen:
            pointer = f"/customerProfiles/{index}/integrationId"
            faults.add("Invalid value", "integrationId stands in this batch before", pointer)
        seen.add(item["integrationId"])


def delete_customer_data(account: Account, call: Call) -> Reply:
    """Operation 10: wipe the attributes of a profile and of all that refers to it; the profile itself stays."""
    row = get(account, call.path["integrationId"])
    account.db.execute("UPDATE profile SET attributes = '{}' WHERE id = ?", (row["id"],))
    account.db.execute("UPDATE event SET attributes = '{}' WHERE profile_id = ?", (row["id"],))
    account.db.execute("UPDATE referral SET attributes = '{}' WHERE advocate = ?", (row["integration_id"],))
    account.db.execute(
        "UPDATE coupon SET attributes = '{}' WHERE recipient_integration_id = ?", (row["integration_id"],)
    )
    account.db.execute("UPDATE giveaway SET attributes = '{}' WHERE profile_id = ?", (row["id"],))
    sessions = account.db.execute("SELECT id, body FROM session WHERE profile_id = ?", (row["id"],)).fetchall()
    account.db.executemany(
        "UPDATE session SET body = ? WHERE id = ?",
        [(dump(_without_attributes(parse(body))), session_id) for session_id, body in sessions],
    )
    return Reply(204)


def _without_attributes(body: dict[str, Any]) -> dict[str, Any]:
    items = [{**item, "attributes": {}} for item in body.get("cartItems") or []]
    return {**body, "attributes": {}, "cartItems": items}


HANDLERS: dict[str, Handler] = {
    "update_customer_profiles_v2": update_customer_profiles_v2,
    "delete_customer_data": delete_customer_data,
}
