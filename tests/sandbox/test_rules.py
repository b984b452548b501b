"""Rules: what they accept, reject and grant, and which rule lists a seed may not hold."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shop import Shop, item, kinds, props

from t1data.sandbox import rules
from t1data.sandbox.comparison import compare

NOTE = {"effect": "showNotification", "title": "Hello", "body": "You"}


@pytest.fixture
def shop() -> Shop:
    return Shop()


def rule(*then: dict[str, Any], name: str = "Rule", **when: Any) -> dict[str, Any]:
    made = {"name": name, "when": when, "then": list(then or [NOTE])}
    rules.check_rules([made], "a test")
    return made


# codes


def test_a_coupon_is_accepted_by_a_rule_that_asks_for_one(shop: Shop) -> None:
    shop.campaign(1, rule(coupon=True))
    shop.coupon("SAVE", id=8)
    effects = shop.put("s", {"couponCodes": ["SAVE"]})["effects"]
    shared = {"campaignId": 1, "rulesetId": 101, "ruleIndex": 0, "ruleName": "Rule", "triggeredByCoupon": 8}
    assert effects == [
        {**shared, "effectType": "acceptCoupon", "props": {"value": "SAVE"}},
        {
            **shared,
            "effectType": "showNotification",
            "props": {"notificationType": "info", "title": "Hello", "body": "You"},
        },
    ]


COUPON_REASONS = [
    ({"campaign_id": 2}, {}, "CouponPartOfNotRunningCampaign"),
    ({"campaign_id": 3}, {}, "CouponPartOfNotRunningCampaign"),
    ({"campaign_id": 4}, {}, "CouponPartOfNotTriggeredCampaign"),
    ({"start_date": "2026-03-02T00:00:00Z"}, {}, "CouponStartDateInFuture"),
    ({"expiry_date": "2026-03-01T12:30:00+01:00"}, {}, "CouponExpired"),
    ({"usage_counter": 1}, {}, "CouponLimitReached"),
    ({"recipient_integration_id": "ann"}, {}, "CouponRecipientDoesNotMatch"),
    ({"recipient_integration_id": "ann"}, {"profileId": ""}, "CouponRecipientDoesNotMatch"),
    ({"is_reservation_mandatory": 1}, {}, "CouponReservationRequired"),
    ({}, {"cartItems": [item(49)]}, "CouponRejectedByCondition"),
    ({}, {"couponCodes": ["save"]}, "CouponNotFound"),
]


@pytest.mark.parametrize(("coupon", "session", "reason"), COUPON_REASONS)
def test_a_coupon_is_rejected_for_its_reason_and_not_redeemed(
    shop: Shop, coupon: dict[str, Any], session: dict[str, Any], reason: str
) -> None:
    asking = rule(coupon=True, cart_total_at_least=50)
    shop.campaign(1, asking)
    shop.campaign(2, asking, state="disabled")
    shop.campaign(3, asking, start_time="2026-03-02T00:00:00Z")
    shop.campaign(4, rule(cart_total_at_least=10**6))
    shop.coupon("SAVE", campaign=coupon.get("campaign_id", 1), **{k: coupon[k] for k in coupon if k != "campaign_id"})
    sent = {"profileId": "bob", "couponCodes": ["SAVE"], "cartItems": [item(50)], "state": "closed", **session}
    answer = shop.put("s", sent)
    (rejection,) = props(answer, "rejectCoupon")
    assert (rejection["value"], rejection["rejectionReason"]) == (sent["couponCodes"][0], reason)
    assert "acceptCoupon" not in kinds(answer)
    assert shop.row("SELECT count(*) FROM redemption")[0] == 0


def test_a_rejection_by_a_condition_names_it(shop: Shop) -> None:
    shop.campaign(1, rule(coupon=True, cart_total_at_least=50))
    shop.coupon("SAVE", id=8)
    answer = shop.put("s", {"couponCodes": ["SAVE"]}, show=["ruleFailureReasons"])
    assert props(answer, "rejectCoupon")[0]["conditionIndex"] == 1
    assert answer["ruleFailureReasons"] == [
        {
            "campaignID": 1,
            "campaignName": "Campaign 1",
            "rulesetID": 101,
            "ruleIndex": 0,
            "ruleName": "Rule",
            "conditionIndex": 1,
            "details": "The condition cart_total_at_least does not hold",
            "couponID": 8,
            "couponValue": "SAVE",
        }
    ]


REFERRAL_REASONS = [
    ({"start_date": "2026-03-02T00:00:00Z"}, "bob", "ReferralStartDateInFuture"),
    ({"expiry_date": "2026-03-01T11:59:59Z"}, "bob", "ReferralExpired"),
    ({"usage_limit": 2, "usage_counter": 2}, "bob", "ReferralLimitReached"),
    ({"friend": "carl"}, "bob", "ReferralRecipientDoesNotMatch"),
    ({"campaign": 2}, "bob", "ReferralPartOfNotRunningCampaign"),
    ({"campaign": 3}, "bob", "ReferralPartOfNotTriggeredCampaign"),
    ({"campaign": 4}, "bob", "ReferralRejectedByCondition"),
    ({}, "ann", "ReferralRecipientIdSameAsAdvocate"),
]


@pytest.mark.parametrize(("referral", "friend", "reason"), REFERRAL_REASONS)
def test_a_referral_code_is_rejected_for_its_reason(
    shop: Shop, referral: dict[str, Any], friend: str, reason: str
) -> None:
    shop.campaign(1, rule(referral=True))
    shop.campaign(2, rule(referral=True), end_time="2026-02-01T00:00:00Z")
    shop.campaign(3, rule(coupon=True))
    shop.campaign(4, rule(referral=True, first_session=False))
    shop.referral("FRIEND", **referral)
    answer = shop.put("s", {"profileId": friend, "referralCode": "FRIEND", "state": "closed"})
    assert [each["rejectionReason"] for each in props(answer, "rejectReferral")] == [reason]
    assert shop.row("SELECT count(*) FROM referral_use")[0] == 0


def test_an_unknown_referral_code_is_rejected(shop: Shop) -> None:
    answer = shop.put("s", {"profileId": "bob", "referralCode": "NONE"})
    assert props(answer, "rejectReferral") == [{"value": "NONE", "rejectionReason": "ReferralNotFound"}]


def test_a_referral_code_is_accepted_by_a_rule_that_asks_for_one(shop: Shop) -> None:
    shop.campaign(1, rule(referral=True))
    shop.referral("FRIEND")
    answer = shop.put("s", {"profileId": "bob", "referralCode": "FRIEND"})
    assert kinds(answer) == ["acceptReferral", "showNotification"]


def test_a_rule_is_asked_once_for_each_coupon_and_a_code_is_accepted_once(shop: Shop) -> None:
    shop.campaign(1, rule(name="first", coupon=True), rule(name="second", coupon=True))
    shop.coupon("A1")
    shop.coupon("B2")
    answer = shop.put("s", {"couponCodes": ["A1", "B2", "A1"], "state": "closed"})
    assert [each["value"] for each in props(answer, "acceptCoupon")] == ["A1", "B2"]
    assert kinds(answer).count("showNotification") == 4
    assert [row[0] for row in shop.account.db.execute("SELECT usage_counter FROM coupon")] == [1, 1]


def test_a_campaign_without_rules_accepts_its_own_codes(shop: Shop) -> None:
    shop.campaign(1)
    shop.coupon("SAVE")
    shop.referral("FRIEND")
    answer = shop.put("s", {"profileId": "bob", "couponCodes": ["SAVE"], "referralCode": "FRIEND"})
    assert kinds(answer) == ["acceptCoupon", "acceptReferral"]


@pytest.mark.parametrize("case", ["insensitive-upper", "insensitive-lower"])
def test_two_spellings_of_one_coupon_count_once_when_case_does_not_matter(case: str) -> None:
    shop = Shop(code_case=case)
    shop.campaign(1, rule(coupon=True))
    shop.coupon("SAVE" if case.endswith("upper") else "save")
    answer = shop.put("s", {"couponCodes": ["Save", "sAVE"], "state": "closed"})
    assert kinds(answer) == ["acceptCoupon", "showNotification"]
    assert shop.row("SELECT usage_counter FROM coupon")[0] == 1


# conditions


CONDITIONS = [
    ({"cart_total_at_least": 30}, {"cartItems": [item(10, 3)]}, True),
    ({"cart_total_at_least": Decimal("30.01")}, {"cartItems": [item(10, 3)]}, False),
    ({"cart_total_at_least": 30}, {"cartItems": [item(25)], "additionalCosts": {"shipping": {"price": 9}}}, False),
    ({"first_session": True}, {"profileId": "bob"}, True),
    ({"first_session": True}, {"profileId": "regular"}, False),
    ({"first_session": False}, {"profileId": "regular"}, True),
    ({"state": "closed"}, {"state": "closed"}, True),
    ({"state": "closed"}, {}, False),
    ({"event": "talon_session_created"}, {}, True),
    ({"event": "talon_session_closed"}, {}, False),
    ({"event": "signup"}, {}, False),
    ({"profile": {"attribute": "Tier", "op": "=", "value": "gold"}}, {"profileId": "regular"}, True),
    ({"profile": {"attribute": "Tier", "op": "=", "value": "gold"}}, {"profileId": "bob"}, False),
    ({"profile": {"attribute": "Tier", "op": "=", "value": "gold"}}, {}, False),
    (
        {
            "profile": [
                {"attribute": "Tier", "op": "=", "value": "gold"},
                {"attribute": "Age", "op": "<", "value": 18},
            ]
        },
        {"profileId": "regular"},
        False,
    ),
]


@pytest.mark.parametrize(("when", "session", "holds"), CONDITIONS)
def test_a_condition_holds_or_not(shop: Shop, when: dict[str, Any], session: dict[str, Any], holds: bool) -> None:
    now = shop.account.now()
    attributes = '{"Tier": "gold", "Age": 40}'
    shop.add("profile", integration_id="regular", attributes=attributes, created=now, last_activity=now)
    shop.put("earlier", {"profileId": "regular"})
    shop.campaign(1, rule(**when))
    assert (kinds(shop.put("s", session)) == ["showNotification"]) is holds


COMPARISONS = [
    (3, "=", Decimal("3.0"), True),
    (3, "!=", 4, True),
    (Decimal("0.1"), "<", 0.2, True),
    (3, ">=", 3, True),
    (True, "=", 1, False),
    (True, "=", True, True),
    (True, "<", False, False),
    (True, ">", False, False),
    ("3", "=", 3, False),
    ("b", ">", "a", True),
    ("gold", "contains", "ol", True),
    (["a", "b"], "contains", "b", True),
    ([1, 2], "contains", "1", False),
    (5, "contains", 5, False),
    (None, "=", None, False),
    (None, "!=", "a", False),
    ("2026-01-01T00:30:00+01:00", "<", "2026-01-01T00:00:00Z", True),
]


@pytest.mark.parametrize(("value", "op", "wanted", "holds"), COMPARISONS)
def test_values_are_compared_by_their_type(value: Any, op: str, wanted: Any, holds: bool) -> None:
    assert compare(value, op, wanted) is holds


scalars = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.decimals(allow_nan=False) | st.datetimes()
)


@given(
    value=scalars | st.lists(scalars), wanted=scalars, op=st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "contains"])
)
def test_a_comparison_never_raises_and_opposites_never_both_hold(value: Any, wanted: Any, op: str) -> None:
    opposite = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}.get(op)
    holds = compare(value, op, wanted)
    assert not (opposite and holds and compare(value, opposite, wanted))


RUNNING = [
    ({}, True),
    ({"start_time": "2026-03-01T12:00:00Z", "end_time": "2026-03-01T13:00:01+01:00"}, True),
    ({"state": "disabled"}, False),
    ({"state": "archived"}, False),
    ({"start_time": "2026-03-01T12:00:01Z"}, False),
    ({"end_time": "2026-03-01T12:00:00Z"}, False),
]


@pytest.mark.parametrize(("campaign", "runs"), RUNNING)
def test_only_a_campaign_that_runs_is_asked(shop: Shop, campaign: dict[str, Any], runs: bool) -> None:
    shop.campaign(1, rule(), **campaign)
    assert (kinds(shop.put("s")) == ["showNotification"]) is runs


def test_only_the_campaigns_chosen_are_asked(shop: Shop) -> None:
    shop.campaign(1, rule(name="one"))
    shop.campaign(2, rule(name="two"))
    answer = shop.put("s", {"evaluableCampaignIds": [2]}, show=["triggeredCampaigns"])
    assert [effect["ruleName"] for effect in answer["effects"]] == ["two"]
    assert [each["id"] for each in answer["triggeredCampaigns"]] == [2]


# effects


CART = {
    "cartItems": [item(20, 2, sku="a", category="top"), item(Decimal("9.99"), sku="b")],
    "additionalCosts": {"shipping": {"price": Decimal("4.5")}},
}
DISCOUNTS = [
    ({"percent": 10}, "5.449"),
    ({"percent": 100}, "54.49"),
    ({"amount": 5}, "5"),
    ({"amount": 500}, "54.49"),
    ({"percent": 10, "scope": "cartItems"}, "4.999"),
    ({"percent": 50, "scope": "additionalCosts"}, "2.25"),
]


@pytest.mark.parametrize(("size", "value"), DISCOUNTS)
def test_a_discount_on_the_session_is_exact_and_never_more_than_there_is(
    shop: Shop, size: dict[str, Any], value: str
) -> None:
    shop.campaign(1, rule({"effect": "setDiscount", "name": "Off", **size}))
    (given_away,) = props(shop.put("s", CART), "setDiscount")
    assert given_away == {"name": "Off", "value": Decimal(value), "scope": size.get("scope", "sessionTotal")}


PER_ITEM = [
    ({"percent": 10}, {0: "4", 1: "0.999"}),
    ({"amount": 2}, {0: "4", 1: "2"}),
    ({"amount": 15}, {0: "30", 1: "9.99"}),
    ({"percent": 10, "sku": "b"}, {1: "0.999"}),
    ({"percent": 10, "category": "top"}, {0: "4"}),
    ({"percent": 10, "sku": "none"}, {}),
]


@pytest.mark.parametrize(("size", "values"), PER_ITEM)
def test_a_discount_on_items_comes_once_a_line_with_its_position(
    shop: Shop, size: dict[str, Any], values: dict[int, str]
) -> None:
    shop.campaign(1, rule({"effect": "setDiscountPerItem", "name": "Off", **size}))
    found = props(shop.put("s", CART), "setDiscountPerItem")
    assert found == [{"name": "Off", "value": Decimal(value), "position": place} for place, value in values.items()]


@settings(max_examples=40, deadline=None)
@given(
    price=st.decimals(0, 10**6, places=3),
    quantity=st.integers(1, 100),
    percent=st.decimals(Decimal("0.01"), 100, places=2),
)
def test_a_percentage_is_exact(price: Decimal, quantity: int, percent: Decimal) -> None:
    shop = Shop()
    shop.campaign(1, rule({"effect": "setDiscount", "name": "Off", "percent": percent}))
    found = props(shop.put("s", {"cartItems": [item(price, quantity)]}), "setDiscount")
    assert sum(Fraction(each["value"]) for each in found) == Fraction(price) * quantity * Fraction(percent) / 100


def test_an_empty_or_negative_cart_gets_no_discount_and_no_points(shop: Shop) -> None:
    points = {"effect": "addLoyaltyPoints", "program": 3, "points_per_unit": 1}
    shop.campaign(1, rule({"effect": "setDiscount", "name": "Off", "percent": 10}, points))
    assert kinds(shop.put("s", {"profileId": "bob", "cartItems": []})) == []
    assert kinds(shop.put("s", {"profileId": "bob", "cartItems": [item(-5)]})) == []


def test_a_coupon_gives_no_more_than_its_discount_limit(shop: Shop) -> None:
    off = {"effect": "setDiscount", "name": "Off", "amount": 8}
    shop.campaign(1, rule(off, off, coupon=True))
    shop.coupon("SAVE", discount_limit="10", usage_limit=0)
    session = {"couponCodes": ["SAVE"], "cartItems": [item(100)], "state": "closed"}
    first, second = props(shop.put("s1", session), "setDiscount")
    assert (first["value"], "desiredValue" in first) == (8, False)
    assert (second["value"], second["desiredValue"]) == (2, 8)
    assert [each["value"] for each in props(shop.put("s2", session), "setDiscount")] == [0, 0]


POINTS = [
    ({"points": 7}, "7", ""),
    ({"points_per_unit": Decimal("0.5"), "ledger": "bonus"}, "27.245", "bonus"),
]


@pytest.mark.parametrize(("size", "value", "ledger"), POINTS)
def test_points_are_granted_to_a_known_customer(shop: Shop, size: dict[str, Any], value: str, ledger: str) -> None:
    shop.campaign(1, rule({"effect": "addLoyaltyPoints", "program": 3, **size}))
    answer = shop.put("s", {"profileId": "bob", "state": "closed", **CART}, show=["loyalty"])
    (granted,) = props(answer, "addLoyaltyPoints")
    assert granted.pop("transactionUUID")
    assert granted == {
        "name": "Rule",
        "programId": 3,
        "subLedgerId": ledger,
        "value": Decimal(value),
        "recipientIntegrationId": "bob",
    }
    program = answer["loyalty"]["programs"]["3"]
    ledgers = {"": program["ledger"], **program["subLedgers"]}
    assert ledgers[ledger]["currentBalance"] == Decimal(value)
    assert kinds(shop.put("anonymous", CART)) == []


def test_points_of_a_program_that_is_not_there_are_an_error_effect(shop: Shop) -> None:
    shop.campaign(1, rule({"effect": "addLoyaltyPoints", "program": 99, "points": 1}))
    answer = shop.put("s", {"profileId": "bob", "state": "closed"})
    assert kinds(answer) == ["error"]
    assert "99" in answer["effects"][0]["props"]["message"]


def test_eligibility_tells_how_each_rule_fared(shop: Shop) -> None:
    shop.campaign(1, rule(name="yes"), rule(name="no", first_session=False), rule(name="other", event="signup"))
    shop.campaign(2, rule(name="never", cart_total_at_least=10**6))
    shop.campaign(3, rule(name="other", event="signup"))
    first, second, third = shop.put("s", {}, show=["campaignEligibility"])["campaignEligibility"]
    assert first["eligibility"] == [{"passed": True}]
    assert [[each["passed"] for each in one["eligibility"]] for one in first["rules"]] == [[True], [False], []]
    assert second["eligibility"][0]["details"]["failureCode"] == "ALL_RULES_FAILED"
    assert third["eligibility"][0]["details"]["failureCode"] == "SKIPPED"


# profile updates


def test_a_profile_update_can_grant_points(shop: Shop) -> None:
    grant = {"effect": "addLoyaltyPoints", "program": 3, "points": 5}
    shop.campaign(1, rule(grant, event="talon_profile_created"), rule(name="for sessions"))

    def update(**query: str) -> Any:
        body = {"responseContent": ["event"]}
        return shop.call("update_customer_profile_v2", body, path={"integrationId": "bob"}, **query)

    assert kinds(update(runRuleEngine="true", dry="true")) == ["addLoyaltyPoints"]
    assert shop.row("SELECT count(*) FROM loyalty_entry")[0] == 0
    created = update(runRuleEngine="true")
    assert (kinds(created), created["event"]["type"]) == (["addLoyaltyPoints"], "talon_profile_created")
    updated = update(runRuleEngine="true")
    assert (kinds(updated), updated["event"]["type"]) == ([], "talon_profile_updated")
    assert shop.row("SELECT amount, tentative FROM loyalty_entry")[:] == ("5", 0)


# what a seed may hold

OFF = {"effect": "setDiscount", "name": "Off", "percent": 10}
FAULTS = [
    ({}, "must be a list of rules"),
    ([5], "rule 1: must be a table"),
    ([{"then": [NOTE]}], "rule 1: `name` is missing"),
    ([{"name": "", "then": [NOTE]}], "rule 1: `name` must be a text that is not empty"),
    ([{"name": "a", "then": [NOTE]}, {"name": "b"}], "rule 2: `then` is missing"),
    ([{"name": "a", "then": []}], "at least one effect"),
    ([{"name": "a", "then": [NOTE], "if": {}}], "`if` is not known here; known are name, then, when"),
    ([{"name": "a", "then": [NOTE], "when": {"coupon": False}}], "`coupon` can only be true"),
    ([{"name": "a", "then": [NOTE], "when": {"cart_total": 5}}], "`cart_total` is not known here"),
    ([{"name": "a", "then": [NOTE], "when": {"cart_total_at_least": "5"}}], "must be a number of at least 0"),
    ([{"name": "a", "then": [NOTE], "when": {"cart_total_at_least": float("nan")}}], "must be a number"),
    ([{"name": "a", "then": [NOTE], "when": {"first_session": 1}}], "must be true or false"),
    ([{"name": "a", "then": [NOTE], "when": {"state": "cancelled"}}], "must be one of open, closed"),
    ([{"name": "a", "then": [NOTE], "when": {"event": ""}}], "`event` must be a text"),
    ([{"name": "a", "then": [NOTE], "when": {"profile": {"attribute": "A", "op": "~", "value": 1}}}], "`op` must be"),
    ([{"name": "a", "then": [NOTE], "when": {"profile": {"attribute": "A", "op": "="}}}], "`value` is missing"),
    ([{"name": "a", "then": [NOTE], "when": {"profile": ["A"]}}], "must be a table with attribute, op and value"),
    ([{"name": "a", "then": [{"effect": "giveAway"}]}], "effect 1: `effect` must be one of setDiscount"),
    ([{"name": "a", "then": [{"effect": []}]}], "effect 1: `effect` must be one of setDiscount"),
    ([{"name": "a", "then": [OFF, {**OFF, "amount": 1}]}], "effect 2: needs either `percent` or `amount`"),
    ([{"name": "a", "then": [{**OFF, "percent": 101}]}], "`percent` must be a number above 0 and at most 100"),
    ([{"name": "a", "then": [{**OFF, "percent": True}]}], "`percent` must be a number"),
    ([{"name": "a", "then": [{**OFF, "scope": "all"}]}], "`scope` must be one of sessionTotal"),
    ([{"name": "a", "then": [{"effect": "addLoyaltyPoints", "program": "3", "points": 1}]}], "a whole number"),
    ([{"name": "a", "then": [{"effect": "addLoyaltyPoints", "program": 3}]}], "`points` or `points_per_unit`"),
    ([{"name": "a", "then": [{"effect": "showNotification", "title": "t"}]}], "`body` is missing"),
]


@pytest.mark.parametrize(("bad", "message"), FAULTS)
def test_a_rule_list_with_a_fault_is_refused_with_the_place_and_the_reason(bad: Any, message: str) -> None:
    with pytest.raises(ValueError, match=r"^campaigns\[0\].rules") as caught:
        rules.check_rules(bad, "campaigns[0].rules")
    assert message in str(caught.value)


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=4) | st.sampled_from(["setDiscount", "=", "open"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "when", "then", "effect", "profile", "coupon", "op"]), inner)
    ),
    max_leaves=10,
)


@settings(max_examples=200)
@given(bad=values | st.lists(st.fixed_dictionaries({"name": st.just("a"), "then": values, "when": values})))
def test_a_rule_list_is_taken_or_refused_with_a_value_error(bad: Any) -> None:
    try:
        rules.check_rules(bad, "here")
    except ValueError as error:
        assert str(error).startswith("here")  # noqa: PT017 - either way is right, so nothing is expected to raise
