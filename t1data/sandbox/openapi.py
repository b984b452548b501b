"""The sandbox's own OpenAPI document, made from the table of routes and a few schemas."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from t1data.sandbox.core import Account, Call, Reply
from t1data.sandbox.routes import ROUTES, Route
from t1data.sandbox.schemas import BODIES, BOOLEAN, COMPONENTS, INTEGER, REPLIES, TEXT, TIME, Schema, part

_SILENT: Schema = {"type": "string", "enum": ["yes", "no"], "default": "yes"}
_FLAGS = ("profile", "referrals", "coupons", "loyalty", "giveaways", "achievements")
_PAGES = {"pageSize": {"type": "integer", "minimum": 1, "maximum": 1000}, "skip": {"type": "integer", "minimum": 0}}

QUERIES: dict[str, dict[str, Schema]] = {
    "update_customer_profile_v2": {"runRuleEngine": BOOLEAN, "dry": BOOLEAN},
    "update_customer_profiles_v2": {"silent": _SILENT},
    "get_customer_inventory": dict.fromkeys(_FLAGS, BOOLEAN),
    "create_referrals_for_multiple_advocates": {"silent": _SILENT},
    "update_customer_session_v2": {"dry": BOOLEAN, "now": TIME},
    "track_event": {"dry": BOOLEAN},
    "track_event_v2": {"silent": _SILENT, "dry": BOOLEAN, "forceCompleteEvaluation": BOOLEAN},
    "get_attributes": {**_PAGES, "entity": TEXT},
    "get_audiences_analytics": {"audienceIds": TEXT},
    "get_audiences": _PAGES,
    "get_audience_memberships": _PAGES,
    "get_applications": {"pageSize": INTEGER, "skip": INTEGER},
    "get_referrals_without_total_count": {**_PAGES, "advocate": TEXT, "createdAfter": TIME, "createdBefore": TIME},
}

_NUMBERED = {"audienceId", "applicationId", "campaignId", "loyaltyProgramId", "attributeId"}
_SCHEMES = {"integration": "ApiKey-v1", "management": "ManagementKey-v1"}
_REASONS = {
    400: "The request was not valid.",
    401: "The key is wrong or missing.",
    404: "There is no such object.",
    409: "In conflict with another request or an existing object.",
    413: "The body is too large.",
    415: "The body is of the wrong kind.",
    429: "Too many requests a second.",
}
_FORM: Schema = {"type": "object", "properties": {"upFile": {"type": "string"}}, "required": ["upFile"]}


def serve_openapi(account: Account, call: Call) -> Reply:
    """Give the document to anyone who asks, without a key."""
    return Reply(200, document())


def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of every route."""
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for route in ROUTES:
        paths[route.template][route.method.lower()] = _describe(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "t1data sandbox", "version": "1", "description": "A local stand-in for Talon.One."},
        "paths": dict(paths),
        "components": {
            "schemas": COMPONENTS,
            "securitySchemes": {
                key: {"type": "apiKey", "in": "header", "name": "Authorization", "description": f"`{scheme} <key>`"}
                for key, scheme in _SCHEMES.items()
            },
        },
    }


def _describe(route: Route) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": route.operation,
        "parameters": _parameters(route),
        "responses": _responses(route),
        "security": [] if route.key == "none" else [{route.key: []}],
    }
    body = _body(route)
    return {**described, "requestBody": body} if body else described


def _parameters(route: Route) -> list[dict[str, Any]]:
    values = [
        {
            "in": "path",
            "name": name,
            "required": True,
            "schema": INTEGER if name in _NUMBERED else {**TEXT, "minLength": 1},
        }
        for name in route.names
    ]
    options = [
        {"in": "query", "name": name, "schema": schema} for name, schema in QUERIES.get(route.operation, {}).items()
    ]
    key = {"in": "header", "name": "Idempotency-Key", "schema": {**TEXT, "maxLength": 255}}
    return [*values, *options, *([key] if route.replays else [])]


def _body(route: Route) -> dict[str, Any] | None:
    if route.multipart:
        return {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}
    if route.operation not in BODIES:
        return None
    return {"required": True, "content": {"application/json": {"schema": BODIES[route.operation]}}}


def _responses(route: Route) -> dict[str, Any]:
    good = {str(status): _success(route, status) for status in route.success}
    error = {"application/json": {"schema": part("Error")}}
    bad = {str(status): {"description": _REASONS[status], "content": error} for status in _refusals(route)}
    return {**good, **bad}


def _success(route: Route, status: int) -> dict[str, Any]:
    if status == 204:
        return {"description": "Done; nothing to say."}
    if route.csv:
        return {"description": "Done.", "content": {"application/csv": {"schema": TEXT}}}
    schema = REPLIES.get(route.operation, part("Object"))
    return {"description": "Done.", "content": {"application/json": {"schema": schema}}}


def _refusals(route: Route) -> list[int]:
    if route.key == "none":
        return [400]
    takes_body = route.multipart or route.operation in BODIES
    refers = bool(route.names) or route.operation == "update_customer_profile_audiences"
    conflicts = bool(route.serial) or route.operation in ("create_audience_v2", "create_attribute")
    return [400, 401, *[404] * refers, *[409] * conflicts, *[413, 415] * takes_body, 429]
