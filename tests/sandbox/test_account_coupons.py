from typing import Any

import pytest
from door import Door, pointers

from t1data.sandbox import coupons


def shop(*more: dict[str, Any], **campaign: Any) -> dict[str, Any]:
    codes = [{"value": "SUMMER25%OFF", "usage_limit": 0}, {"value": "a/b ü", "usage_limit": 1}, *more]
    return {
        "campaigns": [{"id": 7, "name": "Summer", "features": ["coupons"], "coupons": codes, **campaign}],
        "profiles": [{"integration_id": "ann"}, {"integration_id": "bob"}],
    }


@pytest.fixture
def door() -> Door:
    return Door(shop())


def code(value: str) -> dict[str, str]:
    return {"couponValue": value}


def reserve(door: Door, value: str, *ids: str) -> Any:
    return door.call("create_coupon_reservation", {"integrationIDs": list(ids)}, path=code(value))


def release(door: Door, value: str, *ids: str) -> int:
    return door.status("delete_coupon_reservation", {"integrationIDs": list(ids)}, path=code(value))


def holders(door: Door, value: str) -> list[str]:
    found = door.call("get_reserved_customers", path=code(value))
    assert found["totalResultSize"] == len(found["data"])
    return [profile["integrationId"] for profile in found["data"]]


def profile_id(door: Door, integration_id: str) -> int:
    return int(door.profile(integration_id)["id"])


def refusal_of(door: Door, value: str, integration_id: str | None = "ann") -> str | None:
    row = coupons.find(door.account, value)
    assert row is not None
    return coupons.usable(door.account, row, None if integration_id is None else profile_id(door, integration_id))


def redeem(door: Door, value: str, integration_id: str) -> None:
    row, user = coupons.find(door.account, value), profile_id(door, integration_id)
    assert row is not None
    with door.account.transaction():
        coupons.redeem(door.account, row, user, None)


def test_a_reservation_answers_with_the_coupon(door: Door) -> None:
    assert reserve(door, "SUMMER25%OFF", "ann", "bob", "ann") == {
        "id": 1,
        "created": "2026-03-01T12:00:00.000000Z",
        "campaignId": 7,
        "value": "SUMMER25%OFF",
        "usageLimit": 0,
        "usageCounter": 0,
        "discountCounter": 0,
        "attributes": {},
        "reservation": True,
        "reservationCounter": 2,
        "limits": [],
        "isReservationMandatory": False,
        "implicitlyReserved": False,
    }
    assert holders(door, "SUMMER25%OFF") == ["ann", "bob"]


def test_a_hard_code_is_found_as_it_is(door: Door) -> None:
    reserve(door, "a/b ü", "ann")
    assert [coupon["value"] for coupon in door.inventory("ann", "coupons")["coupons"]] == ["a/b ü"]


def test_a_reservation_twice_is_one(door: Door) -> None:
    assert reserve(door, "a/b ü", "ann")["reservationCounter"] == 1
    assert reserve(door, "a/b ü", "ann")["reservationCounter"] == 1


def test_a_reservation_twice_can_be_refused() -> None:
    door = Door(shop(), repeated_reservation="reject")
    reserve(door, "a/b ü", "ann")
    assert door.status("create_coupon_reservation", {"integrationIDs": ["bob", "ann"]}, path=code("a/b ü")) == 400
    assert holders(door, "a/b ü") == ["ann"]


def test_a_release_concerns_exactly_those_named(door: Door) -> None:
    reserve(door, "a/b ü", "ann", "bob")
    assert release(door, "a/b ü", "ann", "nobody") == 204
    assert holders(door, "a/b ü") == ["bob"]
    assert release(door, "a/b ü", "ann") == 204


def test_a_reservation_leaves_the_last_activity(door: Door) -> None:
    before = door.profile("ann")
    door.pass_time(hours=1)
    reserve(door, "a/b ü", "ann")
    assert door.profile("ann") == before


def test_an_unknown_profile_may_hold_a_coupon_before_it_exists(door: Door) -> None:
    assert reserve(door, "a/b ü", "cleo")["reservationCounter"] == 1
    assert holders(door, "a/b ü") == []
    door.upsert(cleo={})
    assert holders(door, "a/b ü") == ["cleo"]


def test_unknown_profiles_can_be_created_or_refused_instead() -> None:
    creating, refusing = (Door(shop(), unknown_reservation_profile=rule) for rule in ("create", "reject"))
    reserve(creating, "a/b ü", "cleo")
    assert holders(creating, "a/b ü") == ["cleo"]
    assert refusing.status("create_coupon_reservation", {"integrationIDs": ["cleo"]}, path=code("a/b ü")) == 404


def test_a_personal_coupon_cannot_be_reserved() -> None:
    door = Door(shop({"value": "FOR-ANN", "recipient": "ann"}))
    assert door.status("create_coupon_reservation", {"integrationIDs": ["bob"]}, path=code("FOR-ANN")) == 400
    assert [coupon["value"] for coupon in door.inventory("ann", "coupons")["coupons"]] == ["FOR-ANN"]
    assert door.inventory("bob", "coupons")["coupons"] == []


@pytest.mark.parametrize("operation", ["create_coupon_reservation", "delete_coupon_reservation"])
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/integrationIDs"),
        ({"integrationIds": ["ann"]}, "/integrationIDs"),
        ({"integrationIDs": "ann"}, "/integrationIDs"),
        ({"integrationIDs": [str(number) for number in range(1001)]}, "/integrationIDs"),
        ({"integrationIDs": ["ann", ""]}, "/integrationIDs/1"),
        ({"integrationIDs": ["x" * 1001]}, "/integrationIDs/0"),
        (None, ""),
    ],
)
def test_a_bad_list_is_refused(door: Door, operation: str, body: Any, pointer: str) -> None:
    assert pointers(door.refusal(operation, body, path=code("a/b ü"))) == [pointer]


@pytest.mark.parametrize("value", ["summer25%off", "NOBODYS", "", "\ud800", "x" * 5000])
def test_an_unknown_code_is_a_404(door: Door, value: str) -> None:
    assert release(door, value, "ann") == 404
    assert door.status("create_coupon_reservation", {"integrationIDs": ["ann"]}, path=code(value)) == 404
    assert door.status("get_reserved_customers", path=code(value)) == 404


@pytest.mark.parametrize(("rule", "stored"), [("insensitive-upper", "SUMMER"), ("insensitive-lower", "summer")])
def test_the_case_of_codes_follows_the_applications_rule(rule: str, stored: str) -> None:
    door = Door(shop({"value": "Summer"}), code_case=rule)
    assert reserve(door, "sUMMER", "ann")["value"] == stored


# --- use


def test_a_redemption_counts_and_reserves(door: Door) -> None:
    redeem(door, "a/b ü", "ann")
    coupon = door.inventory("ann", "coupons")["coupons"][0]
    assert (coupon["usageCounter"], coupon["profileRedemptionCount"], coupon["state"]) == (1, 1, "used")
    assert holders(door, "a/b ü") == ["ann"]
    assert refusal_of(door, "a/b ü", "bob") == "CouponLimitReached"


def test_a_redemption_in_a_session_can_be_taken_back(door: Door) -> None:
    door.reply("update_customer_session_v2", {"customerSession": {"profileId": "ann"}}, path={"customerSessionId": "s"})
    session_id = door.account.db.execute("SELECT id FROM session").fetchone()[0]
    row, user = coupons.find(door.account, "a/b ü"), profile_id(door, "ann")
    assert row is not None
    with door.account.transaction():
        coupons.redeem(door.account, row, user, session_id)
        coupons.unredeem(door.account, row, session_id)
    assert refusal_of(door, "a/b ü") is None
    assert door.inventory("ann", "coupons")["coupons"][0]["state"] == "active"


@pytest.mark.parametrize(
    ("coupon", "who", "reason"),
    [
        ({"start_date": "2026-03-01T12:00:01Z"}, "ann", "CouponStartDateInFuture"),
        ({"expiry_date": "2026-03-01T12:00:00Z"}, "ann", "CouponExpired"),
        ({"expiry_date": "2026-03-01T13:00:00.5+01:00"}, "ann", None),
        ({"recipient": "bob"}, "ann", "CouponRecipientDoesNotMatch"),
        ({"recipient": "bob"}, None, "CouponRecipientDoesNotMatch"),
        ({"recipient": "bob"}, "bob", None),
        ({"is_reservation_mandatory": True, "reserved_for": ["bob"]}, "ann", "CouponReservationRequired"),
        ({"is_reservation_mandatory": True, "reserved_for": ["bob"]}, "bob", None),
        ({}, None, None),
    ],
)
def test_a_coupon_says_why_it_cannot_be_used(coupon: dict[str, Any], who: str | None, reason: str | None) -> None:
    assert refusal_of(Door(shop({"value": "CODE", **coupon})), "CODE", who) == reason


@pytest.mark.parametrize(
    "campaign", [{"state": "disabled"}, {"start_time": "2026-04-01T00:00:00Z"}, {"end_time": "2026-02-01T00:00:00Z"}]
)
def test_a_coupon_of_a_campaign_that_does_not_run_cannot_be_used(campaign: dict[str, Any]) -> None:
    assert refusal_of(Door(shop(**campaign)), "a/b ü") == "CouponPartOfNotRunningCampaign"


def test_a_limit_for_each_profile_and_day_holds_for_that_profile_and_day() -> None:
    limit = {"action": "redemption", "limit": 1, "period": "daily", "entities": ["Profile"]}
    door = Door(shop({"value": "DAILY", "usage_limit": 0, "limits": [limit]}))
    redeem(door, "DAILY", "ann")
    assert refusal_of(door, "DAILY", "ann") == "ProfileLimitReached"
    assert refusal_of(door, "DAILY", "bob") is None
    door.pass_time(hours=12)
    assert refusal_of(door, "DAILY", "ann") is None


# --- states in the inventory


@pytest.mark.parametrize(
    ("coupon", "campaign", "state"),
    [
        ({}, {}, "active"),
        ({}, {"start_time": "2026-04-01T00:00:00Z"}, "active"),
        ({}, {"state": "disabled"}, "disabled"),
        ({}, {"end_time": "2026-02-01T00:00:00Z"}, "disabled"),
        ({"expiry_date": "2026-02-01T00:00:00Z"}, {"state": "disabled"}, "expired"),
        ({"start_date": "2026-04-01T00:00:00Z"}, {}, "pending"),
    ],
)
def test_an_inventory_tells_the_state_of_a_coupon(coupon: Any, campaign: Any, state: str) -> None:
    door = Door(shop({"value": "CODE", "reserved_for": ["ann"], **coupon}, **campaign))
    assert [each["state"] for each in door.inventory("ann", "coupons")["coupons"]] == [state]


def test_a_coupon_reserved_for_everybody_shows_for_everybody() -> None:
    door = Door(shop({"value": "ALL-OF-YOU", "implicitly_reserved": True}))
    for who in ("ann", "bob"):
        assert [each["value"] for each in door.inventory(who, "coupons")["coupons"]] == ["ALL-OF-YOU"]
    assert holders(door, "ALL-OF-YOU") == []


def test_a_discount_limit_shows_what_remains() -> None:
    door = Door(shop({"value": "CODE", "discount_limit": 10.5, "reserved_for": ["ann"]}))
    coupon = door.inventory("ann", "coupons")["coupons"][0]
    assert (coupon["discountLimit"], coupon["discountCounter"]) == (10.5, 0)
    assert coupon["discountRemainder"] == 10.5
