"""Audiences: operations 1 to 6, and the changes of memberships that other calls make."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from typing import Any

from t1data.sandbox import attributes, checks, profiles, queries, values
from t1data.sandbox.core import ACCOUNT_ID, Account, Call, Handler, Refusal, Reply, dump, not_found, parse, present


def find(account: Account, audience_id: int) -> sqlite3.Row | None:
    """Return the audience with this internal id, or None."""
    row: sqlite3.Row | None = account.db.execute("SELECT * FROM audience WHERE id = ?", (audience_id,)).fetchone()
    return row


def get(account: Account, call: Call) -> sqlite3.Row:
    """Return the audience that the path names; raise the 404 when there is none."""
    audience_id = queries.path_id(call, "audienceId")
    row = find(account, audience_id)
    if row is None:
        raise not_found(f"Audience {audience_id}")
    return row


def audience_json(row: sqlite3.Row) -> dict[str, Any]:
    """Return the API's Audience."""
    return present(
        {
            "id": row["id"],
            "accountId": ACCOUNT_ID,
            "created": row["created"],
            "name": row["name"],
            "integration": row["integration"],
            "integrationId": row["integration_id"],
            "description": row["description"],
            "sandbox": bool(row["sandbox"]),
            "subscribedApplicationsIds": parse(row["subscribed_applications"]),
            "createdIn3rdParty": bool(row["created_in_3rd_party"]),
            "lastUpdate": row["last_update"],
        }
    )


def members(account: Account, audience_id: int) -> list[sqlite3.Row]:
    """Return the profiles of an audience in the order of their ids."""
    return account.db.execute(
        "SELECT profile.* FROM membership JOIN profile ON profile.id = profile_id WHERE audience_id = ? ORDER BY id",
        (audience_id,),
    ).fetchall()


def join(account: Account, pairs: Iterable[tuple[int, str]]) -> None:
    """Make memberships of existing profiles; `pairs` are of audience id and integration id."""
    now = account.now()
    account.db.executemany(
        "INSERT INTO membership (audience_id, profile_id, created)"
        " SELECT ?, id, ? FROM profile WHERE integration_id = ? ON CONFLICT DO NOTHING",
        [(audience_id, now, integration_id) for audience_id, integration_id in pairs],
    )


def leave(account: Account, pairs: Iterable[tuple[int, str]]) -> None:
    """End memberships; `pairs` are of audience id and integration id, and who is no member is passed over."""
    account.db.executemany(
        "DELETE FROM membership WHERE audience_id = ?"
        " AND profile_id = (SELECT id FROM profile WHERE integration_id = ?)",
        list(pairs),
    )


def mark_updated(account: Account, audience_ids: Iterable[int]) -> None:
    """Move ``lastUpdate``: the memberships changed now."""
    now = account.now()
    account.db.executemany("UPDATE audience SET last_update = ? WHERE id = ?", [(now, each) for each in audience_ids])


def unknown(account: Account, audience_ids: Iterable[int]) -> set[int]:
    """Return those of the ids that name no audience."""
    wanted = set(audience_ids)
    return wanted - {row["id"] for row in account.db.execute("SELECT id FROM audience")}


def create_audience_v2(account: Account, call: Call) -> Reply:
    """Operation 1: make an audience; a pair of integration and integration id stands once."""
    body = checks.read_body(account, call)
    fields = {
        "name": body.text("name", required=True, least=1),
        "integration": body.text("integration", least=1),
        "integration_id": body.text("integrationId", least=1, most=values.LONGEST_ID),
        "description": body.text("description"),
        "sandbox": body.boolean("sandbox", default=account.options.environment == "sandbox"),
        "subscribed_applications": dump(_subscriptions(body)),
        "created_in_3rd_party": body.boolean("createdIn3rdParty"),
        "last_update": body.time("lastUpdate"),
    }
    body.faults.stop()
    _refuse_twin(account, fields["integration"], fields["integration_id"])
    return Reply(201, audience_json(insert(account, fields)))


def insert(account: Account, fields: dict[str, Any]) -> sqlite3.Row:
    """Store a new audience; the fields are columns of its table."""
    columns = ["created", *fields]
    row: sqlite3.Row = account.db.execute(
        f"INSERT INTO audience ({', '.join(columns)})"  # noqa: S608 - names of columns, none from a caller
        f" VALUES ({', '.join('?' * len(columns))}) RETURNING *",
        (account.now(), *fields.values()),
    ).fetchone()
    return row


def _subscriptions(body: checks.Body) -> list[int]:
    ids = body.integers("subscribedApplicationsIds")
    if len(set(ids)) != len(ids):
        name = "subscribedApplicationsIds"
        body.faults.add("Invalid value", f"{name} must not repeat an id", body.at(name))
    return ids


def _refuse_twin(account: Account, integration: Any, integration_id: Any) -> None:
    if integration_id is None:
        return
    twin = account.db.execute(
        "SELECT id FROM audience WHERE integration IS ? AND integration_id = ?", (integration, integration_id)
    ).fetchone()
    if twin is not None:
        raise Refusal(409, f"Audience {twin['id']} has this integrationId for this integration already")


def update_audience_v2(account: Account, call: Call) -> Reply:
    """Operation 2: rename an audience; its members stay."""
    row = get(account, call)
    body = checks.read_body(account, call)
    name = body.text("name", required=True, least=1)
    subscriptions = dump(_subscriptions(body))
    body.faults.stop()
    if not body.has("subscribedApplicationsIds"):
        subscriptions = row["subscribed_applications"]
    account.db.execute(
        "UPDATE audience SET name = ?, subscribed_applications = ? WHERE id = ?", (name, subscriptions, row["id"])
    )
    return Reply(200, audience_json(get(account, call)))


def delete_audience_v2(account: Account, call: Call) -> Reply:
    """Operation 3: drop an audience and its memberships; the profiles stay."""
    row = get(account, call)
    users = account.db.execute("SELECT name, audiences FROM campaign").fetchall()
    for name, used in users if account.options.audience_in_use == "reject" else []:
        if row["id"] in parse(used):
            raise Refusal(400, f"Audience {row['id']} is used by the rules of campaign {values.show(name)}")
    account.db.execute("DELETE FROM audience WHERE id = ?", (row["id"],))
    return Reply(204)


def delete_audience_memberships_v2(account: Account, call: Call) -> Reply:
    """Operation 4: empty an audience."""
    row = get(account, call)
    account.db.execute("DELETE FROM membership WHERE audience_id = ?", (row["id"],))
    mark_updated(account, [row["id"]])
    return Reply(204)


def update_customer_profile_audiences(account: Account, call: Call) -> Reply:
    """Operation 5: up to 1000 additions and deletions, in order; an addition makes the profile it needs."""
    actions = _read_actions(account, call)
    gone = unknown(account, (audience_id for audience_id, _, _ in actions))
    refusal = not_found(f"Audience {', '.join(map(str, sorted(gone)))}") if gone else None
    if refusal and account.options.unknown_audience == "reject_all":
        raise refusal
    _apply(account, [action for action in actions if action[0] not in gone])
    if refusal:  # a reply, because a raised refusal would take back what was applied
        return Reply(404, {"message": refusal.message, "errors": [], "StatusCode": 404})
    return Reply(204)


Action = tuple[int, str, str]


def _read_actions(account: Account, call: Call) -> list[Action]:
    body = checks.read_body(account, call)
    actions = []
    for item in body.parts("data", most=account.options.batch_limit):
        action = item.choice("action", ("add", "delete"), required=True) or ""
        who = item.text("profileIntegrationId", required=True, least=1, most=values.LONGEST_ID) or ""
        actions.append((item.integer("audienceId", required=True) or 0, who, action))
    body.faults.stop()
    return actions


def _apply(account: Account, actions: list[Action]) -> None:
    profiles.ensure_many(account, dict.fromkeys(who for _, who, action in actions if action == "add"))
    _refuse_strangers(account, actions)
    last = {(audience_id, who): action for audience_id, who, action in actions}
    join(account, [pair for pair, action in last.items() if action == "add"])
    leave(account, [pair for pair, action in last.items() if action == "delete"])
    mark_updated(account, {audience_id for audience_id, _ in last})


def _refuse_strangers(account: Account, actions: list[Action]) -> None:
    if account.options.unknown_member == "ignore":
        return
    inside = _pairs(account, {audience_id for audience_id, _, _ in actions})
    faults = checks.Faults(pointed=account.options.point_at_faults)
    for index, (audience_id, who, action) in enumerate(actions):
        if action == "add":
            inside.add((audience_id, who))
            continue
        if (audience_id, who) not in inside:
            faults.add("Invalid value", f"{values.show(who)} is no member of {audience_id}", f"/data/{index}")
        inside.discard((audience_id, who))
    faults.stop()


def _pairs(account: Account, audience_ids: Collection[int]) -> set[tuple[int, str]]:
    return {(each, row["integration_id"]) for each in audience_ids for row in members(account, each)}


def update_audience_customers_attributes(account: Account, call: Call) -> Reply:
    """Operation 6: set the same attributes on every present member of an audience."""
    row = get(account, call)
    values = checks.read_body(account, call).value
    attributes.check(account, "CustomerProfile", values, "")
    profiles.merge_into(account, members(account, row["id"]), values)
    return Reply(204)


HANDLERS: dict[str, Handler] = {
    "create_audience_v2": create_audience_v2,
    "update_audience_v2": update_audience_v2,
    "delete_audience_v2": delete_audience_v2,
    "delete_audience_memberships_v2": delete_audience_memberships_v2,
    "update_customer_profile_audiences": update_customer_profile_audiences,
    "update_audience_customers_attributes": update_audience_customers_attributes,
}
