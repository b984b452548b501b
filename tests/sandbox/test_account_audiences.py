from typing import Any

import pytest
from door import Door, attribute, pointers

SHOP = {
    "attributes": [attribute("CDs", "number")],
    "audiences": [{"id": 1, "name": "VIP", "members": ["ann", "bob"]}, {"id": 2, "name": "New"}],
}
CHANGE = "update_customer_profile_audiences"


@pytest.fixture
def door() -> Door:
    return Door(SHOP)


def audience(audience_id: Any) -> dict[str, Any]:
    return {"audienceId": audience_id}


def change(action: str, who: str, audience_id: int) -> dict[str, Any]:
    return {"action": action, "profileIntegrationId": who, "audienceId": audience_id}


def members(door: Door, audience_id: int) -> list[str]:
    found = door.call("get_audience_memberships", path=audience(audience_id))
    return [profile["integrationId"] for profile in found["data"]]


def test_a_name_is_enough_for_an_audience(door: Door) -> None:
    answer = door.reply("create_audience_v2", {"name": "Jazz"})
    assert answer.status == 201
    assert answer.body == {
        "id": 3,
        "accountId": 1,
        "created": "2026-03-01T12:00:00.000000Z",
        "name": "Jazz",
        "sandbox": True,
        "subscribedApplicationsIds": [],
        "createdIn3rdParty": False,
    }


def test_an_audience_of_another_platform_keeps_what_it_came_with(door: Door) -> None:
    sent = {
        "name": "Jazz",
        "integration": "segment",
        "integrationId": "j-1",
        "description": "Likes jazz",
        "sandbox": False,
        "subscribedApplicationsIds": [1],
        "createdIn3rdParty": True,
        "lastUpdate": "2026-01-01T00:00:00+00:00",
    }
    assert sent.items() <= door.call("create_audience_v2", sent).items()


def test_an_integration_id_stands_once_for_each_integration(door: Door) -> None:
    body = {"name": "Jazz", "integration": "segment", "integrationId": "j-1"}
    assert door.status("create_audience_v2", body) == 201
    assert door.status("create_audience_v2", {**body, "name": "Other"}) == 409
    assert door.status("create_audience_v2", {**body, "integration": "braze"}) == 201
    assert door.status("create_audience_v2", {"name": "Jazz", "integrationId": "j-1"}) == 201
    assert door.status("create_audience_v2", {"name": "Jazz", "integrationId": "j-1"}) == 409


def test_two_audiences_may_bear_one_name(door: Door) -> None:
    assert [door.call("create_audience_v2", {"name": "VIP"})["id"] for _ in range(2)] == [3, 4]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": None}, "/name"),
        ({"name": "x", "integrationId": "x" * 1001}, "/integrationId"),
        ({"name": "x", "subscribedApplicationsIds": [1, 1]}, "/subscribedApplicationsIds"),
        ({"name": "x", "lastUpdate": "yesterday"}, "/lastUpdate"),
        ({"name": "x", "sandbox": "yes"}, "/sandbox"),
    ],
)
def test_a_bad_audience_is_refused_where_it_is_bad(door: Door, body: Any, pointer: str) -> None:
    assert pointers(door.refusal("create_audience_v2", body)) == [pointer]


def test_a_new_name_leaves_the_members(door: Door) -> None:
    answer = door.call("update_audience_v2", {"name": "Best"}, path=audience(1))
    assert (answer["id"], answer["name"]) == (1, "Best")
    assert door.profile("ann")["audienceMemberships"] == [{"id": 1, "name": "Best"}]


@pytest.mark.parametrize("name", ["", None, 1])
def test_a_new_name_must_be_a_text_that_is_not_empty(door: Door, name: Any) -> None:
    assert pointers(door.refusal("update_audience_v2", {"name": name}, path=audience(1))) == ["/name"]


def test_a_deleted_audience_takes_its_memberships_along_but_no_profile(door: Door) -> None:
    assert door.reply("delete_audience_v2", path=audience(1)).status == 204
    assert door.profile("ann")["audienceMemberships"] == []
    assert door.status("delete_audience_v2", path=audience(1)) == 404


def test_an_audience_id_is_never_given_twice(door: Door) -> None:
    newest = door.call("create_audience_v2", {"name": "Jazz"})["id"]
    door.reply("delete_audience_v2", path=audience(newest))
    assert door.call("create_audience_v2", {"name": "Jazz"})["id"] > newest


def test_an_audience_that_a_campaign_uses_stays() -> None:
    campaign = {"name": "For VIPs", "audiences": ["VIP"]}
    door = Door({**SHOP, "campaigns": [campaign]})
    assert door.refusal("delete_audience_v2", path=audience(1)).status == 400
    assert members(door, 1) == ["ann", "bob"]
    assert (
        Door({**SHOP, "campaigns": [campaign]}, audience_in_use="delete").status("delete_audience_v2", path=audience(1))
        == 204
    )


def test_an_audience_can_be_emptied(door: Door) -> None:
    assert door.reply("delete_audience_memberships_v2", path=audience(1)).status == 204
    assert members(door, 1) == []
    assert door.status("update_audience_v2", {"name": "VIP"}, path=audience(1)) == 200


@pytest.mark.parametrize("audience_id", [99, "abc", "1.5", "-1", "9" * 30, "١"])
@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("update_audience_v2", {"name": "x"}),
        ("delete_audience_v2", None),
        ("delete_audience_memberships_v2", None),
        ("update_audience_customers_attributes", {"CDs": 1}),
    ],
)
def test_an_id_that_names_no_audience_is_a_404(door: Door, operation: str, body: Any, audience_id: Any) -> None:
    assert door.status(operation, body, path=audience(audience_id)) == 404


# --- operation 5


def test_additions_make_the_profiles_they_need(door: Door) -> None:
    body = {"data": [change("add", "cleo", 2), change("add", "ann", 2), change("delete", "bob", 1)]}
    assert door.reply(CHANGE, body).status == 204
    assert (members(door, 1), members(door, 2)) == (["ann"], ["ann", "cleo"])


def test_actions_on_one_pair_apply_in_order(door: Door) -> None:
    door.reply(CHANGE, {"data": [change("add", "cleo", 2), change("delete", "cleo", 2)]})
    door.reply(CHANGE, {"data": [change("delete", "ann", 1), change("add", "ann", 1)]})
    assert (members(door, 1), members(door, 2)) == (["ann", "bob"], [])
    assert door.profile("cleo")["audienceMemberships"] == []


def test_removing_who_is_no_member_does_nothing_and_makes_nobody(door: Door) -> None:
    assert door.status(CHANGE, {"data": [change("delete", "ann", 2), change("delete", "nobody", 1)]}) == 204
    assert door.status("get_customer_inventory", path={"integrationId": "nobody"}) == 404


def test_removing_who_is_no_member_can_be_refused() -> None:
    door = Door(SHOP, unknown_member="reject")
    body = {"data": [change("add", "cleo", 1), change("delete", "cleo", 1), change("delete", "cleo", 1)]}
    assert pointers(door.refusal(CHANGE, body)) == ["/data/2"]


def test_an_unknown_audience_refuses_all(door: Door) -> None:
    body = {"data": [change("add", "cleo", 1), change("add", "cleo", 99)]}
    assert door.refusal(CHANGE, body).status == 404
    assert members(door, 1) == ["ann", "bob"]


def test_the_known_audiences_can_be_served_before_the_404() -> None:
    door = Door(SHOP, unknown_audience="apply_known")
    answer = door.reply(CHANGE, {"data": [change("add", "cleo", 1), change("add", "cleo", 99)]})
    assert (answer.status, answer.body["StatusCode"]) == (404, 404)
    assert members(door, 1) == ["ann", "bob", "cleo"]


def test_a_change_moves_the_last_update_of_its_audience_only(door: Door) -> None:
    door.pass_time(days=1)
    door.reply(CHANGE, {"data": [change("add", "cleo", 1)]})
    found = door.call("get_audiences")["data"]
    assert [each.get("lastUpdate") for each in found] == ["2026-03-02T12:00:00.000000Z", None]


def test_at_most_1000_actions_go_at_once(door: Door) -> None:
    actions = [change("add", str(number), 2) for number in range(1001)]
    assert door.refusal(CHANGE, {"data": actions}).status == 400
    assert door.reply(CHANGE, {"data": actions[:1000]}).status == 204
    assert len(members(door, 2)) == 1000
    assert door.reply(CHANGE, {}).status == 204


@pytest.mark.parametrize(
    ("item", "pointer"),
    [
        ({**change("remove", "ann", 1)}, "/data/0/action"),
        ({**change("add", "", 1)}, "/data/0/profileIntegrationId"),
        ({**change("add", "x" * 1001, 1)}, "/data/0/profileIntegrationId"),
        ({**change("add", "ann", 1), "audienceId": "1"}, "/data/0/audienceId"),
        ("add", "/data/0"),
    ],
)
def test_a_bad_action_is_refused_where_it_is_bad(door: Door, item: Any, pointer: str) -> None:
    assert pointers(door.refusal(CHANGE, {"data": [item]})) == [pointer]


# --- operation 6


def test_every_member_gets_the_attributes(door: Door) -> None:
    door.upsert(ann={"Name": "Ann"}, cleo={"CDs": 9})
    assert door.reply("update_audience_customers_attributes", {"CDs": 3}, path=audience(1)).status == 204
    assert door.profile("ann")["attributes"] == {"Name": "Ann", "CDs": 3}
    assert door.profile("bob")["attributes"] == {"CDs": 3}
    assert door.profile("cleo")["attributes"] == {"CDs": 9}


def test_a_bad_attribute_changes_no_member(door: Door) -> None:
    refusal = door.refusal("update_audience_customers_attributes", {"CDs": 3, "Shoes": 1}, path=audience(1))
    assert pointers(refusal) == ["/Shoes"]
    assert door.profile("ann")["attributes"] == {}
