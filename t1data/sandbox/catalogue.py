"""The attribute catalogue over the Management API: list, create, read, change."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from t1data.sandbox import attributes, checks, pages, queries
from t1data.sandbox.core import (
    ACCOUNT_ID,
    APPLICATION_ID,
    Account,
    Call,
    Handler,
    Refusal,
    Reply,
    dump,
    invalid,
    not_found,
    parse,
    present,
)


@dataclass(frozen=True)
class _Details:
    """What of an attribute may change."""

    title: str
    description: str
    suggestions: list[str]
    restricted: bool


_KINDS = {"custom": True, "builtin": False}
_SEARCH = "instr(lower(name || ' ' || title || ' ' || description), lower(?))"


def attribute_json(row: sqlite3.Row) -> dict[str, Any]:
    """Return the API's Attribute."""
    return present(
        {
            "id": row["id"],
            "created": row["created"],
            "accountId": ACCOUNT_ID,
            "entity": row["entity"],
            "eventType": row["event_type"],
            "name": row["name"],
            "title": row["title"],
            "type": row["type"],
            "description": row["description"],
            "suggestions": parse(row["suggestions"]),
            "hasAllowedList": False,
            "restrictedBySuggestions": bool(row["restricted"]),
            "editable": bool(row["editable"]),
            "subscribedApplicationsIds": [APPLICATION_ID],
        }
    )


def get_attributes(account: Account, call: Call) -> Reply:
    """List attributes; filters ``entity``, ``type``, ``kind`` (custom or builtin) and ``search``."""
    filters = {
        "entity = ?": queries.word(call, "entity"),
        "type = ?": queries.word(call, "type"),
        "editable = ?": _read_kind(call),
        _SEARCH: queries.word(call, "search"),
    }
    used = present(filters)
    return pages.answer_page(
        account,
        call,
        f"SELECT * FROM attribute WHERE {' AND '.join(used) or 1}",  # noqa: S608 - built of this module's own text
        list(used.values()),
        sorts={"name": "name", "entity": "entity", "title": "title", "type": "type", "created": "created"},
        to_json=lambda rows: [attribute_json(row) for row in rows],
        counted=True,
    )


def _read_kind(call: Call) -> bool | None:
    kind = call.query.get("kind")
    if kind is not None and kind not in _KINDS:
        raise queries.bad_parameter("kind", 'must be "builtin" or "custom"')
    return None if kind is None else _KINDS[kind]


def create_attribute(account: Account, call: Call) -> Reply:
    """Add an attribute; an entity has each name and each title once."""
    body = checks.read_body(account, call)
    entity = body.choice("entity", attributes.ENTITIES, required=True) or ""
    name = body.text("name", required=True) or ""
    if name and not attributes.NAME.fullmatch(name):
        body.faults.add("Invalid value", "name must be letters, digits and _, a letter first", body.at("name"))
    kind = body.choice("type", tuple(attributes.TYPES), required=True) or ""
    details = _read_details(body)
    body.boolean("editable", default=True)
    event_type = body.text("eventType")
    body.faults.stop()
    _refuse_twin(account, entity, name=name, title=details.title, attribute_id=0)
    new = attributes.define(
        account,
        entity,
        name,
        kind,
        title=details.title,
        description=details.description,
        suggestions=details.suggestions,
        restricted=details.restricted,
        event_type=event_type,
    )
    return Reply(201, attribute_json(_get(account, new)))


def get_attribute(account: Account, call: Call) -> Reply:
    """Read one attribute by its id."""
    return Reply(200, attribute_json(_get(account, queries.path_id(call, "attributeId"))))


def update_attribute(account: Account, call: Call) -> Reply:
    """Change title, description and suggestions; what an attribute is, its entity, name and type, stays."""
    row = _get(account, queries.path_id(call, "attributeId"))
    body = checks.read_body(account, call)
    if not row["editable"]:
        raise invalid("Invalid value", "A built-in attribute cannot be changed", "")
    for name in ("entity", "name", "type"):
        if body.has(name) and body.value[name] != row[name]:
            body.faults.add("Invalid value", f"{name} of an attribute cannot be changed", body.at(name))
    details = _read_details(body)
    body.faults.stop()
    _refuse_twin(account, row["entity"], name=row["name"], title=details.title, attribute_id=row["id"])
    account.db.execute(
        "UPDATE attribute SET title = ?, description = ?, suggestions = ?, restricted = ? WHERE id = ?",
        (details.title, details.description, dump(details.suggestions), details.restricted, row["id"]),
    )
    return Reply(200, attribute_json(_get(account, row["id"])))


def _read_details(body: checks.Body) -> _Details:
    return _Details(
        title=body.text("title", required=True, least=1) or "",
        description=body.text("description") or "",
        suggestions=body.texts("suggestions"),
        restricted=body.boolean("restrictedBySuggestions"),
    )


def _get(account: Account, attribute_id: int) -> sqlite3.Row:
    row: sqlite3.Row | None = account.db.execute("SELECT * FROM attribute WHERE id = ?", (attribute_id,)).fetchone()
    if row is None:
        raise not_found(f"Attribute {attribute_id}")
    return row


def _refuse_twin(account: Account, entity: str, *, name: str, title: str, attribute_id: int) -> None:
    twin = account.db.execute(
        "SELECT name FROM attribute WHERE entity = ? AND (name = ? OR title = ?) AND id != ?",
        (entity, name, title, attribute_id),
    ).fetchone()
    if twin is not None:
        raise Refusal(409, f'{entity} has an attribute "{twin["name"]}" with this name or title already')


HANDLERS: dict[str, Handler] = {
    "get_attributes": get_attributes,
    "create_attribute": create_attribute,
    "get_attribute": get_attribute,
    "update_attribute": update_attribute,
}
