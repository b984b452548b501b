"""The table of facts about every operation: where it lives, who may call it, how it behaves under repetition.

Everything around the handlers reads this one table: routing, authorisation, the 1 + 2 rule for parallel
requests, idempotency keys and the served OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote_to_bytes

from t1data.sandbox.core import Refusal


@dataclass(frozen=True)
class Serial:
    """Which requests have to go one after another: those with the same `entity` and the same id.

    The id is the value called `name` of the path or of the body.
    """

    entity: Literal["profile", "session"]
    where: Literal["path", "body"]
    name: str


@dataclass(frozen=True)
class Route:
    """One operation of the API.

    `replays` says that it takes an Idempotency-Key, `multipart` that its body is a form with a file, `csv` that
    it answers with CSV.
    """

    operation: str
    method: str
    template: str
    success: tuple[int, ...]
    key: Literal["integration", "management", "none"] = "integration"
    serial: Serial | None = None
    replays: bool = False
    multipart: bool = False
    csv: bool = False
    parts: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.template.strip("/").split("/")))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the values in the path, in order."""
        return tuple(part[1:-1] for part in self.parts if part.startswith("{"))


_BY_PROFILE_PATH = Serial("profile", "path", "integrationId")
_BY_PROFILE_BODY = Serial("profile", "body", "profileId")
_BY_SESSION_PATH = Serial("session", "path", "customerSessionId")

_AUDIENCE = "/v2/audiences/{audienceId}"
_PROFILE = "/v2/customer_profiles/{integrationId}"
_RESERVATIONS = "/v1/coupon_reservations/{couponValue}"
_HOLDERS = "/v1/coupon_reservations/customerprofiles/{couponValue}"
_SESSION = "/v2/customer_sessions/{customerSessionId}"
_ATTRIBUTE = "/v1/attributes/{attributeId}"
_MEMBERS = "/v1/audiences/{audienceId}/memberships"
_POINTS = "/v1/loyalty_programs/{loyaltyProgramId}/profile/{integrationId}"
_CAMPAIGN = "/v1/applications/{applicationId}/campaigns/{campaignId}"
_REFERRALS = "/v1/applications/{applicationId}/campaigns/{campaignId}/referrals/no_total"

# The order decides: a fixed path stands before the template that would also take it.
ROUTES: tuple[Route, ...] = (
    Route("create_audience_v2", "POST", "/v2/audiences", (201,)),
    Route("update_audience_v2", "PUT", _AUDIENCE, (200,)),
    Route("delete_audience_v2", "DELETE", _AUDIENCE, (204,)),
    Route("delete_audience_memberships_v2", "DELETE", _AUDIENCE + "/memberships", (204,)),
    Route("update_customer_profile_audiences", "POST", "/v2/customer_audiences", (204,)),
    Route("update_audience_customers_attributes", "PUT", "/v2/audience_customers/{audienceId}/attributes", (204,)),
    Route("update_customer_profile_v2", "PUT", _PROFILE, (200,), serial=_BY_PROFILE_PATH, replays=True),
    Route("update_customer_profiles_v2", "PUT", "/v2/customer_profiles", (204, 200), replays=True),
    Route("get_customer_inventory", "GET", "/v1/customer_profiles/{integrationId}/inventory", (200,)),
    Route("delete_customer_data", "DELETE", "/v1/customer_data/{integrationId}", (204,)),
    Route("get_reserved_customers", "GET", _HOLDERS, (200,)),
    Route("create_coupon_reservation", "POST", _RESERVATIONS, (201,)),
    Route("delete_coupon_reservation", "DELETE", _RESERVATIONS, (204,)),
    Route("create_referral", "POST", "/v1/referrals", (201,)),
    Route("create_referrals_for_multiple_advocates", "POST", "/v1/referrals_for_multiple_advocates", (204, 201)),
    Route("update_customer_session_v2", "PUT", _SESSION, (200,), serial=_BY_SESSION_PATH, replays=True),
    Route("get_customer_session", "GET", _SESSION, (200,)),
    Route("track_event", "POST", "/v1/events", (201,), serial=_BY_PROFILE_BODY),
    Route("track_event_v2", "POST", "/v2/events", (204, 200), serial=_BY_PROFILE_BODY, replays=True),
    Route("authping", "GET", "/v2/authping", (200,)),
    Route("get_attributes", "GET", "/v1/attributes", (200,), "management"),
    Route("create_attribute", "POST", "/v1/attributes", (201,), "management"),
    Route("get_attribute", "GET", _ATTRIBUTE, (200,), "management"),
    Route("update_attribute", "PUT", _ATTRIBUTE, (200,), "management"),
    Route("get_audiences_analytics", "GET", "/v1/audiences/analytics", (200,), "management"),
    Route("get_audiences", "GET", "/v1/audiences", (200,), "management"),
    Route("get_audience_memberships", "GET", _MEMBERS, (200,), "management"),
    Route("export_audiences_memberships", "GET", _MEMBERS + "/export", (200,), "management", csv=True),
    Route("import_audiences_memberships", "POST", _MEMBERS + "/import", (200,), "management", multipart=True),
    Route("get_applications", "GET", "/v1/applications", (200,), "management"),
    Route("get_campaign", "GET", _CAMPAIGN, (200,), "management"),
    Route("get_referrals_without_total_count", "GET", _REFERRALS, (200,), "management"),
    Route("add_loyalty_points", "PUT", _POINTS + "/add_points", (204,), "management"),
    Route("remove_loyalty_points", "PUT", _POINTS + "/deduct_points", (204,), "management"),
    Route("openapi", "GET", "/openapi.json", (200,), "none"),
)

NO_SUCH_PATH = "Not found"


def find_route(method: str, raw_path: bytes) -> tuple[Route, Mapping[str, str]]:
    """Return the route for a request line and the values of its path.

    The path is matched as it came over the wire and each value is decoded once, so that an encoded slash
    stays part of its value.

    Raises
    ------
    Refusal
        404 when no operation has this path, 405 when one has but not by this method, 400 when a value is
        not UTF-8.
    """
    parts = raw_path.decode("latin-1").removeprefix("/").split("/")
    routes = [route for route in ROUTES if _fits(route.parts, parts)]
    for route in routes:
        if route.method == method:
            return route, dict(_values(route.parts, parts))
    if routes:
        raise Refusal(405, f"The method {method} is not allowed here")
    raise Refusal(404, NO_SUCH_PATH)


def _fits(template: tuple[str, ...], parts: list[str]) -> bool:
    if len(template) != len(parts):
        return False
    return all(part if name.startswith("{") else part == name for name, part in zip(template, parts, strict=True))


def _values(template: tuple[str, ...], parts: list[str]) -> Iterator[tuple[str, str]]:
    for name, part in zip(template, parts, strict=True):
        if name.startswith("{"):
            yield name[1:-1], _decode(part)


def _decode(value: str) -> str:
    try:
        return unquote_to_bytes(value.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise Refusal(400, "The path is not UTF-8") from None
