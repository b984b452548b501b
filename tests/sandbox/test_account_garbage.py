"""Whatever a body holds, an account answers or refuses; it never breaks, and a refusal leaves no trace."""

import copy
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from door import Door, attribute
from hypothesis import given, settings
from hypothesis import strategies as st

from t1data.sandbox.core import Refusal, Reply, dump

SHOP = {
    "attributes": [
        attribute("CDs", "number"),
        attribute("Since", "time"),
        attribute("Regular", "boolean"),
        attribute("Home", "location"),
        attribute("Homes", "(list location)"),
        attribute("Likes", "(list string)"),
        attribute("Tier", "string", suggestions=["gold"], restricted=True),
    ],
    "audiences": [{"id": 1, "name": "VIP", "members": ["ann"]}],
    "campaigns": [{"id": 45, "name": "Friends", "features": ["referrals"], "coupons": [{"value": "CODE"}]}],
    "loyalty_programs": [{"id": 3, "name": "notes", "subledgers": ["gifts"]}],
}
VALUES = {
    "CDs": 1,
    "Since": "2026-01-01T00:00:00Z",
    "Regular": True,
    "Home": [1, 2],
    "Homes": [{"lat": 1, "lon": 2}],
    "Likes": ["a"],
    "Tier": "gold",
}
ANN, VIP, CODE = {"integrationId": "ann"}, {"audienceId": "1"}, {"couponValue": "CODE"}
CALLS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "update_customer_profiles_v2": ({}, {"customerProfiles": [{"integrationId": "ann", "attributes": VALUES}]}),
    "update_customer_profile_v2": (
        ANN,
        {
            "attributes": VALUES,
            "audiencesChanges": {"adds": [1], "deletes": []},
            "responseContent": ["customerProfile"],
            "evaluableCampaignIds": [45],
        },
    ),
    "create_audience_v2": (
        {},
        {
            "name": "Jazz",
            "integration": "segment",
            "integrationId": "j",
            "description": "d",
            "sandbox": True,
            "subscribedApplicationsIds": [1],
            "createdIn3rdParty": True,
            "lastUpdate": "2026-01-01T00:00:00Z",
        },
    ),
    "update_audience_v2": (VIP, {"name": "VIP", "subscribedApplicationsIds": [1]}),
    "update_customer_profile_audiences": (
        {},
        {"data": [{"action": "add", "profileIntegrationId": "bob", "audienceId": 1}]},
    ),
    "update_audience_customers_attributes": (VIP, VALUES),
    "create_coupon_reservation": (CODE, {"integrationIDs": ["ann"]}),
    "delete_coupon_reservation": (CODE, {"integrationIDs": ["ann"]}),
    "create_referral": (
        {},
        {
            "campaignId": 45,
            "advocateProfileIntegrationId": "ann",
            "friendProfileIntegrationId": "bob",
            "startDate": "2026-01-01T00:00:00Z",
            "expiryDate": "2027-01-01T00:00:00Z",
            "usageLimit": 1,
            "attributes": {},
        },
    ),
    "create_referrals_for_multiple_advocates": (
        {},
        {
            "campaignId": 45,
            "advocateProfileIntegrationIds": ["ann"],
            "usageLimit": 1,
            "validCharacters": ["A", "B"],
            "referralPattern": "F-######",
        },
    ),
    "create_attribute": (
        {},
        {
            "entity": "Coupon",
            "name": "Colour",
            "title": "Colour",
            "type": "string",
            "description": "",
            "suggestions": ["red"],
            "restrictedBySuggestions": True,
            "editable": True,
            "eventType": "x",
        },
    ),
    "update_attribute": ({"attributeId": "3"}, {"title": "Discs", "suggestions": ["1"]}),
    "add_loyalty_points": (
        {"loyaltyProgramId": "3", "integrationId": "ann"},
        {"points": 1, "name": "x", "subledgerId": "gifts"},
    ),
}


def deep(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


awkward = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        2**63,
        10**5000,
        float("nan"),
        float("inf"),
        1e308,
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("1E+999999"),
        Decimal("1E-999999"),
        Decimal("6.0"),
        "",
        "\ud800",
        "\u0000",
        "x" * 1001,
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        [],
        {},
        [None],
        {"": None},
        {"\udfff": "\udfff"},
        [0] * 1001,
        deep(900),
    ]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(st.characters(codec=None))
garbage = awkward | st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inner:
        yield from places(item, (*path, name))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    changed = copy.copy(value)
    changed[path[0]] = replaced(value[path[0]], path[1:], new)
    return changed


@st.composite
def nearly_right(draw: st.DrawFn) -> tuple[str, Any]:
    operation = draw(st.sampled_from(sorted(CALLS)))
    body = CALLS[operation][1]
    for _ in range(draw(st.integers(1, 2))):
        body = replaced(body, draw(st.sampled_from(list(places(body)))), draw(garbage))
    return operation, body


@pytest.mark.parametrize("operation", sorted(CALLS))
def test_what_the_garbage_is_made_from_is_accepted(operation: str) -> None:
    path, body = CALLS[operation]
    assert 200 <= Door(SHOP).reply(operation, body, path=path).status < 300


@settings(max_examples=300, deadline=None)
@given(nearly_right())
def test_a_body_is_accepted_or_refused_with_a_4xx(case: tuple[str, Any]) -> None:
    operation, body = case
    path, _ = CALLS[operation]
    before = "".join(DOOR.account.db.iterdump())
    answer = answer_of(operation, body, path)
    dump(answer.errors if isinstance(answer, Refusal) else answer.body)
    if isinstance(answer, Refusal):
        assert 400 <= answer.status < 500
        assert "".join(DOOR.account.db.iterdump()) == before
    else:
        assert 200 <= answer.status < 300


def answer_of(operation: str, body: Any, path: dict[str, str]) -> Reply | Refusal:
    try:
        return DOOR.reply(operation, body, path=path)
    except Refusal as refusal:
        return refusal


DOOR = Door(SHOP)


@pytest.mark.parametrize("operation", sorted(CALLS))
def test_a_body_that_is_no_object_is_refused(operation: str) -> None:
    for body in (None, [], "x", 1, True, float("nan")):
        assert DOOR.status(operation, body, path=CALLS[operation][0]) == 400


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(codec=None), max_size=20))
def test_whatever_a_path_or_a_query_holds_is_answered_or_refused(text: str) -> None:
    for operation, names in (
        ("update_audience_v2", ["audienceId"]),
        ("get_customer_inventory", ["integrationId"]),
        ("update_customer_profile_v2", ["integrationId"]),
        ("get_reserved_customers", ["couponValue"]),
        ("get_attribute", ["attributeId"]),
        ("get_referrals_without_total_count", ["applicationId", "campaignId"]),
    ):
        status = DOOR.status(operation, {}, path=dict.fromkeys(names, text), sort=text, pageSize=text, profile=text)
        assert status == 200 or 400 <= status < 500
    path = {"applicationId": 1, "campaignId": 45}
    query = dict.fromkeys(("code", "advocate", "search", "entity", "profileQuery"), text)
    for operation in ("get_referrals_without_total_count", "get_attributes"):
        assert DOOR.status(operation, path=path, **query) in (200, 400)
