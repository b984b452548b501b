"""Custom events: version 1 with its session and its whole state, version 2 without."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shop import Shop, item, kinds, refused

GRANT = {"effect": "addLoyaltyPoints", "program": 3, "points": 5, "name": "Welcome"}
OFF = {"effect": "setDiscount", "name": "LABEL", "amount": 100}


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.attribute("Event", "Page", "string")
    shop.campaign(1, {"name": "welcome", "when": {"event": "signup"}, "then": [GRANT, OFF]})
    return shop


def track(shop: Shop, body: dict[str, Any] | None = None, **query: str) -> Any:
    whole = {"type": "signup", "attributes": {}, "sessionId": "s", "profileId": "bob", **(body or {})}
    return shop.call("track_event", whole, **query)


def track_v2(shop: Shop, body: dict[str, Any] | None = None, **query: str) -> Any:
    return shop.call("track_event_v2", {"type": "signup", "profileId": "bob", **(body or {})}, **query)


def test_an_old_event_creates_customer_and_session_and_answers_with_the_state(shop: Shop) -> None:
    state = track(shop, {"attributes": {"Page": "home"}})
    assert shop.status == 201
    assert set(state) == {"session", "profile", "event", "loyalty"}
    assert state["session"]["integrationId"] == "s"
    assert (state["session"]["state"], state["session"]["profileId"]) == ("open", "bob")
    assert state["profile"]["integrationId"] == "bob"
    assert state["event"]["type"] == "signup"
    assert state["event"]["attributes"] == {"Page": "home"}
    assert state["event"]["sessionId"] == "s"
    assert state["loyalty"]["programs"]["3"]["ledger"]["currentBalance"] == 5
    assert shop.session("s")["state"] == "open"
    assert shop.row("SELECT session_id FROM event")[0] == shop.session("s")["id"]


def test_effects_stand_in_an_old_event_in_the_array_form(shop: Shop) -> None:
    shop.put("s", {"profileId": "bob", "cartItems": [item(150)]})
    state = track(shop)
    points, discount = state["event"]["effects"]
    assert points[:3] == [1, 101, 0]
    assert points[3][:5] == ["addLoyaltyPoints", "Welcome", 3, "", 5]
    assert discount == [1, 101, 0, ["setDiscount", "LABEL", 100, "sessionTotal"]]
    assert state["session"]["discounts"] == {"LABEL": 100}
    assert [(entry["amount"], entry["reason"]) for entry in state["event"]["ledgerEntries"]] == [(5, "Welcome")]


def test_an_old_event_shows_the_coupon_and_the_discounts_of_its_session(shop: Shop) -> None:
    off = {"effect": "setDiscountPerItem", "name": "Half", "percent": 50}
    shop.campaign(2, {"name": "half", "when": {"coupon": True}, "then": [off]})
    shop.coupon("HALF", campaign=2)
    shop.put("s", {"profileId": "bob", "couponCodes": ["HALF"], "cartItems": [item(Decimal("1.5")), item(2)]})
    state = track(shop, {"type": "other"})
    assert state["event"]["effects"] == []
    assert state["session"]["discounts"] == {"Half": Decimal("1.75")}
    assert (state["session"]["coupon"], state["coupon"]["value"]) == ("HALF", "HALF")


def test_an_event_for_another_customers_session_is_refused(shop: Shop) -> None:
    shop.put("s", {"profileId": "ann"})
    before = shop.dump()
    with refused(pointer="/profileId", details="another profile"):
        track(shop)
    with refused(pointer="/profileId"):
        track(shop, {"profileId": ""})
    assert shop.dump() == before


def test_an_event_for_another_customers_session_can_be_let_through() -> None:
    shop = Shop(foreign_session="accept")
    shop.put("s", {"profileId": "ann"})
    assert track(shop)["session"]["profileId"] == "ann"


def test_an_event_that_names_no_customer_belongs_to_its_session(shop: Shop) -> None:
    shop.put("s", {"profileId": "ann"})
    assert track(shop, {"profileId": None})["profile"]["integrationId"] == "ann"


@pytest.mark.parametrize("profile_id", ["", None])
def test_an_anonymous_event_has_the_profile_of_nobody(shop: Shop, profile_id: str | None) -> None:
    state = track(shop, {"profileId": profile_id})
    assert state["profile"]["integrationId"] == ""
    assert "loyalty" not in state
    assert shop.row("SELECT count(*) FROM profile")[0] == 0


BAD = [
    ({"type": ""}, "/type"),
    ({"type": None}, "/type"),
    ({"type": 5}, "/type"),
    ({"type": "talon_session_closed"}, "/type"),
    ({"type": "talon_profile_created"}, "/type"),
    ({"attributes": None}, "/attributes"),
    ({"attributes": {"Nope": 1}}, "/attributes/Nope"),
    ({"attributes": {"Page": 1}}, "/attributes/Page"),
    ({"sessionId": ""}, "/sessionId"),
    ({"sessionId": None}, "/sessionId"),
    ({"profileId": 7}, "/profileId"),
]
BAD_V2 = [
    *[(body, pointer) for body, pointer in BAD if pointer != "/sessionId" and body != {"attributes": None}],
    ({"profileId": ""}, "/profileId"),
    ({"profileId": None}, "/profileId"),
    ({"loyaltyCards": ["a", "b"]}, "/loyaltyCards"),
    ({"evaluableCampaignIds": 5}, "/evaluableCampaignIds"),
    ({"storeIntegrationId": 5}, "/storeIntegrationId"),
    ({"responseContent": ["customerSession"]}, "/responseContent/0"),
]


@pytest.mark.parametrize(("body", "pointer"), BAD)
def test_a_bad_old_event_is_refused_by_its_pointer_and_leaves_nothing(shop: Shop, body: Any, pointer: str) -> None:
    before = shop.dump()
    with refused(pointer=pointer):
        track(shop, body)
    assert shop.dump() == before


@pytest.mark.parametrize(("body", "pointer"), BAD_V2)
def test_a_bad_event_is_refused_by_its_pointer_and_leaves_nothing(shop: Shop, body: Any, pointer: str) -> None:
    before = shop.dump()
    with refused(pointer=pointer):
        track_v2(shop, body, silent="no")
    assert shop.dump() == before


@pytest.mark.parametrize("query", [{}, {"silent": "yes"}])
def test_an_event_is_silent_unless_asked(shop: Shop, query: dict[str, str]) -> None:
    assert track_v2(shop, **query) is None
    assert shop.status == 204
    assert shop.row("SELECT type FROM event")[0] == "signup"
    assert shop.row("SELECT amount FROM loyalty_entry")[0] == "5"


def test_an_event_that_is_not_silent_answers_with_effects_and_sections(shop: Shop) -> None:
    sections = ["customerProfile", "event", "loyalty", "triggeredCampaigns", "awardedGiveaways", "achievements"]
    answer = track_v2(shop, {"responseContent": sections}, silent="no")
    assert shop.status == 200
    assert kinds(answer) == ["addLoyaltyPoints"]
    assert (answer["createdCoupons"], answer["createdReferrals"], answer["ruleFailureReasons"]) == ([], [], [])
    assert set(sections) < set(answer)
    assert "sessionId" not in answer["event"]
    assert answer["event"]["effects"] == []  # they stand beside it, and clients disagree about their form here
    assert [campaign["id"] for campaign in answer["triggeredCampaigns"]] == [1]


def test_a_new_customer_of_an_event_fires_no_event_of_their_own(shop: Shop) -> None:
    track_v2(shop)
    assert [row[0] for row in shop.account.db.execute("SELECT type FROM event")] == ["signup"]
    assert shop.profile("bob")["attributes"] == "{}"


def test_an_event_moves_the_last_activity_of_its_customer(shop: Shop) -> None:
    track_v2(shop)
    shop.pass_time(days=1)
    track(shop)
    assert shop.profile("bob")["last_activity"] == "2026-03-02T12:00:00.000000Z"


def test_an_event_does_not_ask_the_rules_for_sessions_nor_judges_their_codes(shop: Shop) -> None:
    note = {"effect": "showNotification", "title": "t", "body": "b"}
    shop.campaign(2, {"name": "always", "then": [note]})
    shop.campaign(3)
    shop.coupon("RIGHT", campaign=3)
    shop.put("s", {"profileId": "bob", "couponCodes": ["WRONG", "RIGHT"]})
    assert track(shop, {"type": "other"})["event"]["effects"] == []


@pytest.mark.parametrize("when", [{"first_session": False}, {"cart_total_at_least": 0}, {"coupon": True}])
def test_a_condition_on_the_session_never_holds_without_one(shop: Shop, when: dict[str, Any]) -> None:
    note = {"effect": "showNotification", "title": "t", "body": "b"}
    shop.campaign(2, {"name": "session", "when": {"event": "visit", **when}, "then": [note]})
    assert kinds(track_v2(shop, {"type": "visit"}, silent="no")) == []


def test_only_the_campaigns_chosen_hear_of_an_event(shop: Shop) -> None:
    assert kinds(track_v2(shop, {"evaluableCampaignIds": [2]}, silent="no")) == []
    assert kinds(track_v2(shop, {"evaluableCampaignIds": [1]}, silent="no")) == ["addLoyaltyPoints"]


@pytest.mark.parametrize("known", [True, False])
def test_a_dry_event_leaves_no_trace(shop: Shop, known: bool) -> None:
    if known:
        shop.put("s", {"profileId": "bob"})
    before = shop.dump()
    assert track(shop, dry="true")["event"]["effects"]
    assert kinds(track_v2(shop, dry="1", silent="no")) == ["addLoyaltyPoints"]
    assert track_v2(shop, dry="True") is None
    assert shop.dump() == before


@pytest.mark.parametrize("query", [{"silent": "maybe"}, {"dry": "x"}, {"forceCompleteEvaluation": "x"}])
def test_a_bad_query_of_an_event_is_refused(shop: Shop, query: dict[str, str]) -> None:
    with refused():
        track_v2(shop, **query)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | st.decimals(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
near_bodies = st.dictionaries(
    st.sampled_from(["type", "attributes", "sessionId", "profileId", "responseContent", "loyaltyCards"]), json_values
)


@settings(max_examples=60, deadline=None)
@given(body=json_values | near_bodies, operation=st.sampled_from(["track_event", "track_event_v2"]))
def test_garbage_meets_a_refusal_or_an_answer_and_nothing_else(body: Any, operation: str) -> None:
    assert Shop(unknown_attribute="declare").status_of(operation, body) in (201, 204, 400)
