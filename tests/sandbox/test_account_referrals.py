import re
from typing import Any

import pytest
from door import Door, attribute, pointers

from t1data.sandbox import referrals

SHOP = {
    "attributes": [attribute("Channel", "string", "Referral")],
    "campaigns": [
        {"id": 45, "name": "Friends", "features": ["referrals"]},
        {"id": 7, "name": "Summer", "features": ["coupons"]},
    ],
    "profiles": [{"integration_id": "ann"}, {"integration_id": "bob"}],
}
ONE = "create_referral"
MANY = "create_referrals_for_multiple_advocates"


@pytest.fixture
def door() -> Door:
    return Door(SHOP)


def one(**more: Any) -> dict[str, Any]:
    return {"campaignId": 45, "advocateProfileIntegrationId": "ann", **more}


def many(*advocates: str, **more: Any) -> dict[str, Any]:
    return {"campaignId": 45, "advocateProfileIntegrationIds": list(advocates), "usageLimit": 1, **more}


def refusal_of(door: Door, code: str, friend: str | None) -> str | None:
    row = referrals.find(door.account, code)
    assert row is not None
    return referrals.usable(door.account, row, None if friend is None else door.profile(friend)["id"])


def test_one_advocate_gets_one_code(door: Door) -> None:
    answer = door.reply(ONE, one(attributes={"Channel": "mail"}, startDate="2026-01-01T00:00:00Z"))
    assert answer.status == 201
    code = answer.body.pop("code")
    assert re.fullmatch("[A-Z0-9]{12}", code)
    assert answer.body == {
        "id": 1,
        "created": "2026-03-01T12:00:00.000000Z",
        "campaignId": 45,
        "advocateProfileIntegrationId": "ann",
        "usageLimit": 1,
        "usageCounter": 0,
        "startDate": "2026-01-01T00:00:00Z",
        "attributes": {"Channel": "mail"},
    }


def test_a_repeated_call_makes_another_code(door: Door) -> None:
    codes = {door.call(ONE, one())["code"] for _ in range(20)}
    assert len(codes) == 20
    assert len(door.inventory("ann", "referrals")["referrals"]) == 20


def test_many_advocates_get_codes_that_only_a_loud_call_tells(door: Door) -> None:
    assert door.reply(MANY, many("ann", "bob")).status == 204
    answer = door.reply(MANY, many("bob", "ann"), silent="no")
    assert answer.status == 201
    assert answer.body["totalResultSize"] == 2
    assert [each["advocateProfileIntegrationId"] for each in answer.body["data"]] == ["bob", "ann"]
    assert len(door.inventory("ann", "referrals")["referrals"]) == 2


def test_codes_follow_the_pattern(door: Door) -> None:
    body = many("ann", "bob", referralPattern="FRIEND-##", validCharacters=["x", "ü"])
    found = [each["code"] for each in door.call(MANY, body, silent="no")["data"]]
    assert all(re.fullmatch("FRIEND-[xü]{2}", code) for code in found)
    assert len(set(found)) == 2


def test_a_pattern_without_room_is_refused_and_makes_nothing(door: Door) -> None:
    body = many("ann", "bob", "cleo", referralPattern="ABC#", validCharacters=["x", "y"])
    assert pointers(door.refusal(MANY, body)) == ["/referralPattern"]
    assert door.inventory("ann", "referrals")["referrals"] == []


def test_codes_are_stored_by_the_applications_case_rule() -> None:
    door = Door(SHOP, code_case="insensitive-lower")
    code = door.call(ONE, one())["code"]
    assert code == code.lower()
    assert referrals.find(door.account, code.upper()) is not None


def test_1000_advocates_are_the_most(door: Door) -> None:
    people = [str(number) for number in range(1001)]
    assert door.status(MANY, many(*people[:1000])) == 204
    assert pointers(door.refusal(MANY, many(*people))) == ["/advocateProfileIntegrationIds"]
    assert pointers(door.refusal(MANY, many())) == ["/advocateProfileIntegrationIds"]


def test_an_unknown_advocate_gets_a_code_and_no_profile(door: Door) -> None:
    assert door.status(ONE, one(advocateProfileIntegrationId="cleo")) == 201
    assert door.status("get_customer_inventory", path={"integrationId": "cleo"}) == 404


def test_unknown_advocates_can_be_created_or_refused_instead() -> None:
    creating, refusing = (Door(SHOP, unknown_advocate=rule) for rule in ("create", "reject"))
    creating.reply(MANY, many("cleo"))
    assert len(creating.inventory("cleo", "referrals")["referrals"]) == 1
    assert refusing.status(MANY, many("ann", "cleo")) == 400
    assert refusing.inventory("ann", "referrals")["referrals"] == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"campaignId": 99}, "/campaignId"),
        ({"campaignId": 7}, "/campaignId"),
        ({"campaignId": None}, "/campaignId"),
        ({"campaignId": "45"}, "/campaignId"),
        ({"advocateProfileIntegrationId": ""}, "/advocateProfileIntegrationId"),
        ({"advocateProfileIntegrationId": "x" * 1001}, "/advocateProfileIntegrationId"),
        ({"usageLimit": 1_000_000}, "/usageLimit"),
        ({"usageLimit": -1}, "/usageLimit"),
        ({"usageLimit": 1.5}, "/usageLimit"),
        ({"expiryDate": "2026-13-01T00:00:00Z"}, "/expiryDate"),
        ({"startDate": "2026-02-01T00:00:00Z", "expiryDate": "2026-01-01T00:00:00Z"}, "/expiryDate"),
        ({"attributes": {"Channel": 1}}, "/attributes/Channel"),
        ({"attributes": {"Other": 1}}, "/attributes/Other"),
    ],
)
def test_a_bad_wish_is_refused_where_it_is_bad(door: Door, change: dict[str, Any], pointer: str) -> None:
    assert pointers(door.refusal(ONE, one(**change))) == [pointer]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"usageLimit": None}, "/usageLimit"),
        ({"referralPattern": "AB"}, "/referralPattern"),
        ({"referralPattern": "#" * 101}, "/referralPattern"),
        ({"validCharacters": ["ab"]}, "/validCharacters/0"),
        ({"advocateProfileIntegrationIds": ["ann", 7]}, "/advocateProfileIntegrationIds/1"),
    ],
)
def test_a_bad_wish_for_many_is_refused_where_it_is_bad(door: Door, change: dict[str, Any], pointer: str) -> None:
    assert pointers(door.refusal(MANY, {**many("ann"), **change})) == [pointer]


# --- use


def test_a_friend_uses_a_code_once_in_a_campaign(door: Door) -> None:
    code, other = (door.call(ONE, one(usageLimit=0))["code"] for _ in range(2))
    row, bob = referrals.find(door.account, code), door.profile("bob")["id"]
    assert row is not None
    with door.account.transaction():
        referrals.redeem(door.account, row, bob, None)
    shown = door.inventory("ann", "referrals")["referrals"]
    assert [(each["usageCounter"], each["referredCustomers"]) for each in shown] == [(1, ["bob"]), (0, [])]
    assert refusal_of(door, other, "bob") == "ReferralCustomerAlreadyReferred"


def test_a_code_is_used_up_at_its_limit_and_free_again_when_the_session_is_cancelled(door: Door) -> None:
    code = door.call(ONE, one(usageLimit=1))["code"]
    door.upsert(cleo={})
    path = {"customerSessionId": "s1"}
    session = {"profileId": "bob", "referralCode": code, "state": "closed"}
    door.reply("update_customer_session_v2", {"customerSession": session}, path=path)
    assert refusal_of(door, code, "cleo") == "ReferralLimitReached"
    door.reply("update_customer_session_v2", {"customerSession": {**session, "state": "cancelled"}}, path=path)
    assert refusal_of(door, code, "cleo") is None
    assert door.inventory("ann", "referrals")["referrals"][0]["referredCustomers"] == []


@pytest.mark.parametrize(
    ("referral", "friend", "reason"),
    [
        ({}, "bob", None),
        ({}, "ann", "ReferralRecipientIdSameAsAdvocate"),
        ({}, None, "ReferralRecipientDoesNotMatch"),
        ({"friend": "cleo"}, "bob", "ReferralRecipientDoesNotMatch"),
        ({"friend": "bob"}, "bob", None),
        ({"start_date": "2026-04-01T00:00:00Z"}, "bob", "ReferralStartDateInFuture"),
        ({"expiry_date": "2026-02-01T00:00:00Z"}, "bob", "ReferralExpired"),
    ],
)
def test_a_code_says_why_it_cannot_be_used(referral: dict[str, Any], friend: str | None, reason: str | None) -> None:
    code = {"code": "FRIEND", "advocate": "ann", **referral}
    campaign = {"id": 45, "name": "Friends", "referrals": [code]}
    assert refusal_of(Door({**SHOP, "campaigns": [campaign]}), "FRIEND", friend) == reason
