"""Operation 16: states, kept and cleared fields, totals, closing and cancelling, dry runs, bad bodies."""

from __future__ import annotations

import json
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from caller import send
from hypothesis import given, settings
from hypothesis import strategies as st
from shop import Shop, item, kinds, refused

from t1data.sandbox import Sandbox
from t1data.sandbox.core import Refusal


@pytest.fixture
def shop() -> Shop:
    return Shop()


STATES = ("open", "closed", "partially_returned", "cancelled")
ALLOWED = {
    (None, "open"),
    (None, "closed"),
    ("open", "open"),
    ("open", "closed"),
    ("open", "cancelled"),
    ("closed", "cancelled"),
    ("partially_returned", "cancelled"),
}


@pytest.mark.parametrize("after", STATES)
@pytest.mark.parametrize("before", [None, *STATES])
def test_each_state_may_become_what_the_api_allows(shop: Shop, before: str | None, after: str) -> None:
    if before is not None:
        shop.put("s", {"profileId": "bob", "cartItems": [item()]})
        with shop.account.transaction() as db:
            db.execute("UPDATE session SET state = ?", (before,))
    if (before, after) in ALLOWED:
        assert shop.put("s", {"state": after}, show=["customerSession"])["customerSession"]["state"] == after
    else:
        with refused(pointer="/customerSession/state"):
            shop.put("s", {"state": after})


def test_an_update_without_a_state_asks_for_open_so_a_closed_session_refuses_it(shop: Shop) -> None:
    shop.put("s", {"state": "closed"})
    with refused(pointer="/customerSession/state", details="closed cannot become open"):
        shop.put("s", {"cartItems": [item()]})


@pytest.mark.parametrize("state", ["closed", "cancelled"])
def test_the_answer_to_a_change_of_a_session_that_is_over_can_be_a_conflict(state: str) -> None:
    shop = Shop(closed_session_status=409)
    with refused(400):
        shop.put("s", {"state": "cancelled"})
    shop.put("s")
    shop.put("s", {"state": state})
    with refused(409, pointer="/customerSession/state"):
        shop.put("s")


def test_an_open_session_can_be_handed_to_another_customer_unless_the_account_forbids_it(shop: Shop) -> None:
    for account in (shop, Shop(changed_customer="reject")):
        account.put("s")
        account.put("s", {"profileId": "bob"})
    shop.put("s", {"profileId": "ann"})
    assert shop.session("s")["profileId"] == "ann"
    with refused(pointer="/customerSession/profileId"):
        account.put("s", {"profileId": "ann"})
    assert account.session("s")["profileId"] == "bob"


def test_an_unknown_customer_is_created_without_attributes(shop: Shop) -> None:
    shop.put("s", {"profileId": "Zoë/1"})
    assert shop.profile("Zoë/1")["attributes"] == "{}"


@pytest.mark.parametrize("session", [{}, {"profileId": ""}])
def test_an_anonymous_session_makes_no_customer_and_is_always_a_first_one(shop: Shop, session: Any) -> None:
    for name in ("s1", "s2"):
        answer = shop.put(name, {**session, "state": "closed"}, show=["customerSession", "customerProfile", "loyalty"])
        assert answer["customerSession"]["firstSession"] is True
        assert answer["customerSession"]["profileId"] == ""
        assert "customerProfile" not in answer
        assert "loyalty" not in answer
    assert shop.row("SELECT count(*) FROM profile")[0] == 0


def test_only_the_oldest_session_of_a_customer_is_the_first_one(shop: Shop) -> None:
    shop.put("s1", {"profileId": "bob"})
    shop.put("s2", {"profileId": "bob"})
    shop.put("s1", {"cartItems": [item()]})
    assert shop.session("s1")["firstSession"] is True
    assert shop.session("s2")["firstSession"] is False


def test_a_dry_update_of_the_only_session_is_still_a_first_session(shop: Shop) -> None:
    shop.put("s", {"profileId": "bob"})
    answer = shop.put("s", {"profileId": "bob"}, show=["customerSession"], dry="true")
    assert answer["customerSession"]["firstSession"] is True


def test_codes_left_out_stay_and_empty_ones_clear(shop: Shop) -> None:
    shop.put("s", {"couponCodes": ["A"], "referralCode": "R"})
    assert "rejectCoupon" in kinds(shop.put("s", {"cartItems": [item()]}))
    assert (shop.session("s")["couponCodes"], shop.session("s")["referralCode"]) == (["A"], "R")
    assert kinds(shop.put("s", {"couponCodes": [], "referralCode": ""})) == []
    assert (shop.session("s")["couponCodes"], shop.session("s")["referralCode"]) == ([], "")


def test_an_update_builds_on_the_earlier_ones(shop: Shop) -> None:
    shop.attribute("CustomerSession", "Channel", "string")
    shop.attribute("CustomerSession", "Note", "string")
    shop.put("s", {"profileId": "bob", "attributes": {"Channel": "web", "Note": "a"}, "cartItems": [item(5)]})
    shop.put("s", {"attributes": {"Note": None}, "identifiers": ["device"]})
    session = shop.session("s")
    assert session["profileId"] == "bob"
    assert session["attributes"] == {"Channel": "web"}
    assert session["identifiers"] == ["device"]
    assert session["cartItemTotal"] == 5
    assert session["updateCount"] == 2


def test_a_new_cart_replaces_the_old_one_with_its_item_attributes(shop: Shop) -> None:
    shop.attribute("CartItem", "Colour", "string")
    shop.put("s", {"cartItems": [item(5, attributes={"Colour": "red"}), item(6, attributes={"Colour": None})]})
    assert [each["attributes"] for each in shop.session("s")["cartItems"]] == [{"Colour": "red"}, {}]
    shop.put("s", {"cartItems": [item(5)]})
    assert shop.session("s")["cartItems"] == [{**item(5), "position": 0, "returnedQuantity": 0, "remainingQuantity": 1}]


def test_the_cart_items_of_2021_and_what_a_client_sends_back_are_taken(shop: Shop) -> None:
    old = {"name": "Shirt", "sku": "s", "quantity": 2, "price": 3, "category": "top", "weight": 1.5, "position": 9}
    shop.put("s", {"cartItems": [old]})
    sent_back = shop.session("s")["cartItems"]
    shop.put("s", {"cartItems": sent_back})
    assert shop.session("s")["cartItems"] == sent_back
    assert sent_back[0]["position"] == 0


prices = st.decimals(min_value=-1000, max_value=10**9, allow_nan=False, places=4)
costs = st.dictionaries(st.sampled_from(["shipping", "fee"]), st.fixed_dictionaries({"price": prices}))
item_costs = st.dictionaries(st.sampled_from(["wrapping", "fee"]), st.fixed_dictionaries({"price": prices}))
cart_items = st.fixed_dictionaries(
    {"sku": st.just("x"), "quantity": st.integers(1, 500), "price": prices | st.integers(0, 10**6)},
    optional={"additionalCosts": item_costs},
)


@settings(max_examples=60, deadline=None)
@given(items=st.lists(cart_items, max_size=12), session_costs=costs)
def test_totals_are_exact(items: list[dict[str, Any]], session_costs: dict[str, Any]) -> None:
    shop = Shop()
    show = ["customerSession"]
    answer = shop.put("s", {"cartItems": items, "additionalCosts": session_costs}, show=show)["customerSession"]

    def price(holder: dict[str, Any]) -> Fraction:
        return Fraction(holder["price"])

    cart = sum((price(each) * each["quantity"] for each in items), Fraction(0))
    extra = sum(map(price, session_costs.values()), Fraction(0))
    item_extra = sum(
        (price(cost) * each["quantity"] for each in items for cost in each.get("additionalCosts", {}).values()),
        Fraction(0),
    )
    assert Fraction(answer["cartItemTotal"]) == cart
    assert Fraction(answer["additionalCostTotal"]) == extra
    assert Fraction(answer["cartItemAdditionalCostTotal"]) == item_extra
    assert Fraction(answer["total"]) == cart + extra + item_extra


def test_totals_are_exact_whatever_the_precision_around(shop: Shop) -> None:
    with localcontext(prec=3):
        answer = shop.put("s", {"cartItems": [item(Decimal("1234567.89"), 3)]}, show=["customerSession"])
    assert answer["customerSession"]["total"] == Decimal("3703703.67")


def _grown(shop: Shop) -> None:
    """Give a shop everything that a closing session can move."""
    grants = [
        {"effect": "setDiscount", "name": "Ten", "percent": 10},
        {"effect": "addLoyaltyPoints", "program": 3, "points_per_unit": 1},
    ]
    shop.campaign(
        1,
        {"name": "coupons", "when": {"coupon": True}, "then": grants},
        {
            "name": "friends",
            "when": {"referral": True},
            "then": [{"effect": "showNotification", "title": "t", "body": "b"}],
        },
    )
    shop.coupon("TEN", discount_limit="50")
    shop.coupon("MORE", usage_limit=0)
    shop.referral("FRIEND", usage_limit=5)


def _counters(shop: Shop) -> list[Any]:
    queries = (
        "SELECT value, usage_counter, discount_counter + 0 FROM coupon ORDER BY id",
        "SELECT code, usage_counter FROM referral ORDER BY id",
        "SELECT integration_id, closed_sessions, total_sales + 0 FROM profile ORDER BY id",
        "SELECT program_id, profile_id, ledger, amount FROM loyalty_entry ORDER BY id",
        "SELECT coupon_id, profile_id FROM redemption ORDER BY id",
        "SELECT referral_id, friend FROM referral_use ORDER BY id",
    )
    return [[tuple(row) for row in shop.account.db.execute(query)] for query in queries]


def test_closing_redeems_codes_confirms_points_and_counts_the_sale(shop: Shop) -> None:
    _grown(shop)
    cart = {"profileId": "bob", "couponCodes": ["TEN"], "referralCode": "FRIEND", "cartItems": [item(20, 2)]}
    shop.put("s", cart)
    assert _counters(shop)[0][0] == ("TEN", 0, 0)
    assert shop.row("SELECT tentative, amount FROM loyalty_entry")[:] == (1, "40")
    answer = shop.put("s", {"state": "closed"}, show=["customerProfile", "coupons", "referral"])
    assert answer["customerProfile"]["closedSessions"] == 1
    assert answer["customerProfile"]["totalSales"] == 40
    assert [(each["usageCounter"], each["profileRedemptionCount"]) for each in answer["coupons"]] == [(1, 1)]
    assert (answer["coupons"][0]["discountCounter"], answer["coupons"][0]["discountRemainder"]) == (4, 46)
    assert (answer["referral"]["usageCounter"], answer["referral"]["referredCustomers"]) == (1, ["bob"])
    assert shop.row("SELECT tentative, amount FROM loyalty_entry")[:] == (0, "40")
    assert shop.row("SELECT integration_id FROM reservation")[0] == "bob"


coupon_codes = st.lists(st.sampled_from(["TEN", "MORE", "WRONG"]), unique=True)
carts = st.lists(st.builds(item, prices, st.integers(1, 20)), max_size=4)


@settings(max_examples=40, deadline=None)
@given(
    coupons=coupon_codes,
    referral=st.sampled_from(["", "FRIEND"]),
    profile=st.sampled_from(["", "bob", "ann"]),
    cart=carts,
    through_open=st.booleans(),
)
def test_closing_and_cancelling_restores_every_counter(
    coupons: list[str], referral: str, profile: str, cart: list[Any], through_open: bool
) -> None:
    shop = Shop()
    _grown(shop)
    for name in ("bob", "ann"):
        shop.put(f"before {name}", {"profileId": name, "state": "closed", "cartItems": [item(Decimal("7.77"))]})
    before = _counters(shop)
    session = {"profileId": profile, "couponCodes": coupons, "referralCode": referral, "cartItems": cart}
    if through_open:
        shop.put("s", session)
    closed = shop.put("s", {**session, "state": "closed"})
    cancelled = shop.put("s", {"state": "cancelled"})
    assert _counters(shop) == before
    assert kinds(cancelled) == [_UNDONE[kind] for kind in kinds(closed) if kind in _UNDONE]


_UNDONE = {
    "acceptCoupon": "rollbackCoupon",
    "acceptReferral": "rollbackReferral",
    "setDiscount": "rollbackDiscount",
    "addLoyaltyPoints": "rollbackAddedLoyaltyPoints",
}


def test_cancelling_an_open_session_drops_its_tentative_points_and_rolls_nothing_back(shop: Shop) -> None:
    _grown(shop)
    before = _counters(shop)[:2]
    shop.put("s", {"profileId": "bob", "couponCodes": ["TEN"], "cartItems": [item(20)]})
    answer = shop.put("s", {"state": "cancelled"}, show=["event"])
    assert kinds(answer) == []
    assert answer["event"]["type"] == "talon_session_cancelled"
    assert _counters(shop)[:2] == before
    assert shop.row("SELECT count(*) FROM loyalty_entry")[0] == 0


def test_a_cancelled_coupon_can_be_used_again(shop: Shop) -> None:
    _grown(shop)
    cart = {"profileId": "bob", "couponCodes": ["TEN"], "cartItems": [item(20)], "state": "closed"}
    assert "acceptCoupon" in kinds(shop.put("s1", cart))
    assert "rejectCoupon" in kinds(shop.put("s2", cart))
    shop.put("s1", {"state": "cancelled"})
    assert "acceptCoupon" in kinds(shop.put("s3", cart))


def test_every_update_is_an_event_of_its_own_type(shop: Shop) -> None:
    told = [
        shop.put("s", {"state": state}, show=["event"])["event"]["type"]
        for state in ("open", "open", "closed", "cancelled")
    ]
    names = ["created", "updated", "closed", "revoked"]
    assert told == [f"talon_session_{name}" for name in names]


def test_last_activity_moves_with_every_update(shop: Shop) -> None:
    shop.put("s", {"profileId": "bob"})
    shop.pass_time(hours=1)
    answer = shop.put("s", {}, show=["customerProfile", "customerSession"])
    assert answer["customerProfile"]["lastActivity"] == "2026-03-01T13:00:00.000000Z"
    assert answer["customerSession"]["updated"] == "2026-03-01T13:00:00.000000Z"
    assert answer["customerSession"]["created"] == "2026-03-01T12:00:00.000000Z"


@settings(max_examples=25, deadline=None)
@given(
    state=st.sampled_from(["open", "closed"]),
    coupons=coupon_codes,
    profile=st.sampled_from(["", "bob", "new"]),
    session_id=st.sampled_from(["s", "other"]),
    cart=carts,
)
def test_a_dry_call_leaves_no_trace(
    state: str, coupons: list[str], profile: str, session_id: str, cart: list[Any]
) -> None:
    shop = Shop()
    _grown(shop)
    shop.put("s", {"profileId": "bob", "couponCodes": ["MORE"], "cartItems": [item(3)]})
    before, random_state = shop.dump(), shop.account.random.getstate()
    shop.pass_time(hours=1)
    session = {"profileId": profile, "couponCodes": coupons, "cartItems": cart, "state": state}
    answer = shop.put(session_id, session, show=["customerSession"], dry="True")
    assert answer["customerSession"]["state"] == state
    assert shop.dump() == before
    assert shop.account.random.getstate() == random_state


def test_a_dry_update_looks_at_its_own_payload_only(shop: Shop) -> None:
    shop.put("s", {"profileId": "bob", "cartItems": [item(3)], "state": "closed"})
    answer = shop.put("s", {"cartItems": [item(4)]}, show=["customerSession"], dry="true")
    assert (answer["customerSession"]["total"], answer["customerSession"]["profileId"]) == (4, "")


def test_a_dry_call_can_look_into_the_future(shop: Shop) -> None:
    shop.campaign(1)
    shop.coupon("LATER", start_date="2026-04-01T00:00:00Z")
    session = {"couponCodes": ["LATER"]}
    assert kinds(shop.put("s", session, dry="true")) == ["rejectCoupon"]
    assert kinds(shop.put("s", session, dry="true", now="2026-04-01T02:00:00+02:00")) == ["acceptCoupon"]
    assert kinds(shop.put("s", session, dry="true")) == ["rejectCoupon"]


@pytest.mark.parametrize(
    "query",
    [
        {"now": "2026-04-01T00:00:00Z"},
        {"now": "2026-04-01T00:00:00Z", "dry": "false"},
        {"now": "2026-01-01T00:00:00Z", "dry": "true"},
        {"now": "soon", "dry": "true"},
        {"dry": "maybe"},
    ],
)
def test_a_bad_query_is_refused_by_its_name(shop: Shop, query: dict[str, str]) -> None:
    with pytest.raises(Refusal) as caught:
        shop.put("s", {}, **query)
    assert caught.value.status == 400
    assert caught.value.errors[0]["source"]["parameter"] in query


LONG = "x" * 101
BAD = [
    ({"profileId": 5}, "/profileId"),
    ({"profileId": "x" * 1001}, "/profileId"),
    ({"profileId": "\ud800"}, "/profileId"),
    ({"state": "paid"}, "/state"),
    ({"state": 1}, "/state"),
    ({"couponCodes": "A"}, "/couponCodes"),
    ({"couponCodes": ["A", 5]}, "/couponCodes/1"),
    ({"couponCodes": [LONG]}, "/couponCodes/0"),
    ({"referralCode": LONG}, "/referralCode"),
    ({"identifiers": list("abcdef")}, "/identifiers"),
    ({"loyaltyCards": ["a", "b"]}, "/loyaltyCards"),
    ({"evaluableCampaignIds": ["1"]}, "/evaluableCampaignIds/0"),
    ({"experimentVariantAllocations": [{"experimentID": 1}]}, "/experimentVariantAllocations/0/variantID"),
    ({"storeIntegrationId": ""}, "/storeIntegrationId"),
    ({"attributes": {"Nope": 1}}, "/attributes/Nope"),
    ({"attributes": []}, "/attributes"),
    ({"additionalCosts": {"nope": {"price": 1}}}, "/additionalCosts/nope"),
    ({"additionalCosts": {"wrapping": {"price": 1}}}, "/additionalCosts/wrapping"),
    ({"additionalCosts": {"shipping": {}}}, "/additionalCosts/shipping/price"),
    ({"additionalCosts": {"shipping": None}}, "/additionalCosts/shipping"),
    ({"additionalCosts": {"shipping": {"price": "5"}}}, "/additionalCosts/shipping/price"),
    ({"cartItems": {}}, "/cartItems"),
    ({"cartItems": [5]}, "/cartItems/0"),
    ({"cartItems": [{"quantity": 1, "price": 1}]}, "/cartItems/0/sku"),
    ({"cartItems": [item(sku="")]}, "/cartItems/0/sku"),
    ({"cartItems": [item(quantity=0)]}, "/cartItems/0/quantity"),
    ({"cartItems": [{"sku": "a", "price": 1}]}, "/cartItems/0/quantity"),
    ({"cartItems": [{"sku": "a", "quantity": 1}]}, "/cartItems/0/price"),
    ({"cartItems": [item(True)]}, "/cartItems/0/price"),
    ({"cartItems": [item(10**16)]}, "/cartItems/0/price"),
    ({"cartItems": [item(Decimal("1E-31"))]}, "/cartItems/0/price"),
    ({"cartItems": [item(), item(product={})]}, "/cartItems/1/product/name"),
    ({"cartItems": [item(attributes={"Nope": 1})]}, "/cartItems/0/attributes/Nope"),
    ({"cartItems": [item(additionalCosts={"shipping": {"price": 1}})]}, "/cartItems/0/additionalCosts/shipping"),
    ({"cartItems": [item(quantity=5001), item(quantity=5000)]}, "/cartItems"),
    ({"cartItems": [item()] * 1001}, "/cartItems"),
]


@pytest.mark.parametrize(("session", "pointer"), BAD, ids=[pointer for _, pointer in BAD])
def test_each_fault_is_named_by_its_pointer_and_nothing_is_kept(shop: Shop, session: Any, pointer: str) -> None:
    before = shop.dump()
    with refused(pointer=f"/customerSession{pointer}"):
        shop.put("s", {"profileId": "bob", **session})
    assert shop.dump() == before


@pytest.mark.parametrize("body", [None, 5, [], "x", {}, {"customerSession": None}, {"customerSession": []}])
def test_a_body_without_a_session_is_refused(shop: Shop, body: Any) -> None:
    with refused():
        shop.call("update_customer_session_v2", body, path={"customerSessionId": "s"})


def test_an_unknown_section_is_refused(shop: Shop) -> None:
    with refused(pointer="/responseContent/1"):
        shop.put("s", {}, show=["loyalty", "weather"])


def test_a_cart_at_its_limits_is_taken(shop: Shop) -> None:
    shop.put("s", {"cartItems": [item(quantity=10)] * 1000})
    assert shop.session("s")["cartItemTotal"] == 100_000


SECTIONS = {
    "customerSession": dict,
    "customerProfile": dict,
    "coupons": list,
    "triggeredCampaigns": list,
    "loyalty": dict,
    "event": dict,
    "awardedGiveaways": list,
    "ruleFailureReasons": list,
    "previousReturns": list,
    "campaignEligibility": list,
    "achievements": list,
}


@pytest.mark.parametrize("environment", ["sandbox", "live"])
def test_an_answer_has_the_sections_asked_for_and_rule_failures_in_a_sandbox(environment: str) -> None:
    shop = Shop(environment=environment)
    always = {"effects": [], "createdCoupons": [], "createdReferrals": []}
    unasked = {"ruleFailureReasons": []} if environment == "sandbox" else {}
    assert shop.put("s", {"profileId": "bob"}) == {**always, **unasked}
    for name, kind in SECTIONS.items():
        answer = shop.put("s", {"profileId": "bob"}, show=[name])
        assert isinstance(answer[name], kind)
        assert set(answer) == {*always, *unasked, name}


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["open", "closed", "TEN", "sku", "quantity", "price"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)
FIELDS = ["profileId", "state", "couponCodes", "referralCode", "cartItems", "additionalCosts", "attributes"]
MORE = ["identifiers", "storeIntegrationId", "loyaltyCards", "evaluableCampaignIds", "experimentVariantAllocations"]
ITEM_FIELDS = ["sku", "quantity", "price", "name", "product", "weight", "attributes", "additionalCosts"]
near_items = st.lists(st.dictionaries(st.sampled_from(ITEM_FIELDS), json_values), max_size=3)
near_sessions = st.dictionaries(st.sampled_from(FIELDS + MORE), json_values | near_items)
near_bodies = st.fixed_dictionaries({}, optional={"customerSession": near_sessions, "responseContent": json_values})


@settings(max_examples=150, deadline=None)
@given(body=json_values | near_bodies)
def test_garbage_meets_a_refusal_or_an_answer_and_nothing_else(body: Any) -> None:
    shop = Shop(unknown_attribute="declare")
    assert shop.status_of("update_customer_session_v2", body, path={"customerSessionId": "s"}) in (200, 400)


def test_a_session_that_is_not_there_is_a_404(shop: Shop) -> None:
    with refused(404):
        shop.session("nobody")


SEED = {
    "loyalty_programs": [{"id": 3, "name": "club", "title": "Club"}],
    "campaigns": [
        {
            "id": 7,
            "name": "Spring",
            "features": ["coupons"],
            "coupons": [{"value": "A/B 25%"}],
            "rules": [
                {
                    "name": "A quarter off",
                    "when": {"coupon": True, "cart_total_at_least": 20},
                    "then": [
                        {"effect": "setDiscount", "name": "Spring", "percent": 25},
                        {"effect": "addLoyaltyPoints", "program": 3, "points_per_unit": 0.5},
                    ],
                }
            ],
        }
    ],
}


def test_a_seeded_campaign_answers_over_http() -> None:
    with Sandbox() as sandbox:
        sandbox.load(SEED)
        cart = {"profileId": "bob", "couponCodes": ["A/B 25%"], "cartItems": [item(11.10, 2)], "state": "closed"}
        path = "/v2/customer_sessions/order%2F1"
        wanted = ["customerSession", "loyalty", "coupons"]
        got = send(sandbox, "PUT", path, {"customerSession": cart, "responseContent": wanted})
        state = json.loads(got.body, parse_float=Decimal)
        assert got.status == 200
        assert kinds(state) == ["acceptCoupon", "setDiscount", "addLoyaltyPoints"]
        assert [effect["props"]["value"] for effect in state["effects"][1:]] == [Decimal("5.55"), Decimal("11.1")]
        assert state["customerSession"]["total"] == Decimal("22.2")
        assert state["loyalty"]["programs"]["3"]["ledger"]["currentBalance"] == Decimal("11.1")
        assert state["coupons"][0]["usageCounter"] == 1
        again = send(sandbox, "PUT", path, {"customerSession": cart})
        assert (again.status, again.json()["StatusCode"]) == (400, 400)
        assert send(sandbox, "GET", path).json()["customerSession"]["integrationId"] == "order/1"
