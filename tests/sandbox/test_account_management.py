from typing import Any

import pytest
from door import Door, attribute, pointers

SHOP = {
    "attributes": [attribute("CDs", "number", title="CDs bought"), attribute("Genre", "string", "CartItem")],
    "audiences": [{"id": 1, "name": "VIP", "members": ["a,b", 'c"d', "007"]}, {"id": 2, "name": "New"}],
    "campaigns": [{"id": 45, "name": "Friends", "features": ["referrals"]}, {"id": 7, "name": "Other"}],
}


@pytest.fixture
def door() -> Door:
    return Door(SHOP)


def names(answer: Any) -> list[str]:
    return [item["name"] for item in answer["data"]]


def audience(audience_id: int) -> dict[str, int]:
    return {"audienceId": audience_id}


# --- attributes


def test_the_catalogue_lists_built_in_and_custom_attributes(door: Door) -> None:
    answer = door.call("get_attributes")
    assert answer["hasMore"] is False
    assert names(answer) == ["Name", "Email", "CDs", "Genre"]
    assert answer["data"][2] == {
        "id": 3,
        "created": "2026-03-01T12:00:00.000000Z",
        "accountId": 1,
        "entity": "CustomerProfile",
        "name": "CDs",
        "title": "CDs bought",
        "type": "number",
        "description": "",
        "suggestions": [],
        "hasAllowedList": False,
        "restrictedBySuggestions": False,
        "editable": True,
        "subscribedApplicationsIds": [1],
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"entity": "CartItem"}, ["Genre"]),
        ({"type": "number"}, ["CDs"]),
        ({"kind": "builtin"}, ["Name", "Email"]),
        ({"kind": "custom", "entity": "CustomerProfile"}, ["CDs"]),
        ({"search": "BOUGHT"}, ["CDs"]),
        ({"sort": "-name"}, ["Name", "Genre", "Email", "CDs"]),
        ({"sort": "entity,-id"}, ["Genre", "CDs", "Email", "Name"]),
    ],
)
def test_the_catalogue_can_be_filtered_and_sorted(door: Door, query: dict[str, str], found: list[str]) -> None:
    assert names(door.call("get_attributes", **query)) == found


def test_pages_cover_the_list_once_and_tell_when_it_ends(door: Door) -> None:
    pages = [door.call("get_attributes", pageSize="3", skip=str(skip)) for skip in (0, 3, 6)]
    assert [(len(page["data"]), page["hasMore"]) for page in pages] == [(3, True), (1, False), (0, False)]
    counted = door.call("get_attributes", pageSize="1", withTotalResultSize="true")
    assert (counted["totalResultSize"], len(counted["data"])) == (4, 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pageSize", "0"),
        ("pageSize", "1001"),
        ("pageSize", "ten"),
        ("skip", "-1"),
        ("skip", "9" * 40),
        ("sort", "colour"),
        ("sort", "name; DROP TABLE attribute"),
        ("kind", "other"),
        ("withTotalResultSize", "maybe"),
    ],
)
def test_a_bad_query_is_refused_by_name(door: Door, name: str, value: str) -> None:
    refusal = door.refusal("get_attributes", **{name: value})
    assert refusal.errors[0]["source"] == {"parameter": name}


def test_a_created_attribute_can_be_used_at_once(door: Door) -> None:
    body = {
        "entity": "CustomerProfile",
        "name": "Since",
        "title": "Customer since",
        "type": "time",
        "description": "First visit",
        "suggestions": [],
        "editable": True,
    }
    answer = door.reply("create_attribute", body)
    assert answer.status == 201
    assert body.items() <= answer.body.items()
    door.upsert(ann={"Since": "2026-01-01T00:00:00Z"})
    assert door.call("get_attribute", path={"attributeId": answer.body["id"]}) == answer.body


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"entity": "Customer"}, "/entity"),
        ({"type": "integer"}, "/type"),
        ({"type": None}, "/type"),
        ({"name": "First name"}, "/name"),
        ({"name": "Größe"}, "/name"),
        ({"title": None}, "/title"),
        ({"suggestions": [1]}, "/suggestions/0"),
    ],
)
def test_a_bad_attribute_is_refused_where_it_is_bad(door: Door, change: dict[str, Any], pointer: str) -> None:
    body = {"entity": "Coupon", "name": "Colour", "title": "Colour", "type": "string", **change}
    assert pointers(door.refusal("create_attribute", body)) == [pointer]


def test_a_name_or_a_title_stands_once_for_each_entity(door: Door) -> None:
    body = {"entity": "CustomerProfile", "name": "CDs", "title": "Discs", "type": "string"}
    assert door.status("create_attribute", body) == 409
    assert door.status("create_attribute", {**body, "name": "Discs", "title": "CDs bought"}) == 409
    assert door.status("create_attribute", {**body, "entity": "Coupon"}) == 201


def test_title_and_list_of_an_attribute_can_change_but_not_its_type(door: Door) -> None:
    body = {"title": "Kind of music", "suggestions": ["Jazz"], "restrictedBySuggestions": True, "type": "string"}
    changed = door.call("update_attribute", body, path={"attributeId": 4})
    assert (changed["title"], changed["suggestions"], changed["restrictedBySuggestions"]) == (
        "Kind of music",
        ["Jazz"],
        True,
    )
    refusal = door.refusal("update_attribute", {**body, "type": "number"}, path={"attributeId": 4})
    assert pointers(refusal) == ["/type"]
    assert door.status("update_attribute", body, path={"attributeId": 1}) == 400
    assert door.status("update_attribute", body, path={"attributeId": 99}) == 404


# --- audiences


def test_audiences_are_listed_and_counted(door: Door) -> None:
    assert names(door.call("get_audiences", sort="name")) == ["New", "VIP"]
    counts = door.call("get_audiences_analytics", audienceIds="2,1,99")
    assert counts == {"data": [{"audienceId": 2, "membersCount": 0}, {"audienceId": 1, "membersCount": 3}]}


@pytest.mark.parametrize("ids", ["", "one", "1;2", ",".join(map(str, range(1001)))])
def test_counts_need_1_to_1000_ids(door: Door, ids: str) -> None:
    assert door.refusal("get_audiences_analytics", audienceIds=ids).errors[0]["source"] == {"parameter": "audienceIds"}


def test_members_are_listed_as_profiles(door: Door) -> None:
    answer = door.call("get_audience_memberships", path=audience(1), profileQuery="0")
    assert [profile["integrationId"] for profile in answer["data"]] == ["007"]
    assert answer["data"][0]["audienceMemberships"] == [{"id": 1, "name": "VIP"}]


def test_an_export_is_csv_that_an_import_takes_back(door: Door) -> None:
    exported = door.reply("export_audiences_memberships", path=audience(1))
    assert exported.media_type == "application/csv"
    assert exported.text == 'profileintegrationid\n"a,b"\n"c""d"\n007\n'
    files = {"upFile": exported.text.encode()}
    imported = door.call("import_audiences_memberships", path=audience(2), files=files)
    assert (imported["amount"], imported["accountId"]) == (3, 1)
    assert door.reply("export_audiences_memberships", path=audience(2)).text == exported.text


def test_an_import_replaces_the_members_and_makes_missing_profiles(door: Door) -> None:
    content = b"\xef\xbb\xbfname,ProfileIntegrationId\r\nx,new\r\ny,007\r\nz,new\r\n"
    door.reply("import_audiences_memberships", path=audience(1), files={"upFile": content})
    assert door.reply("export_audiences_memberships", path=audience(1)).text == "profileintegrationid\n007\nnew\n"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "1"),
        (b"id\n1\n", "1"),
        (b"profileintegrationid\n\xff\n", "N/A"),
        (b'profileintegrationid\n"open\n', "N/A"),
        (b"name,profileintegrationid\nx,1\ny\n", "3"),
        (b"profileintegrationid\n" + b"x" * 1001, "2"),
    ],
)
def test_a_bad_upload_names_its_line_and_changes_nothing(door: Door, content: bytes, line: str) -> None:
    refusal = door.refusal("import_audiences_memberships", path=audience(1), files={"upFile": content})
    assert (refusal.status, refusal.errors[0]["source"]) == (400, {"line": line})
    assert door.call("get_audiences_analytics", audienceIds="1")["data"][0]["membersCount"] == 3


def test_an_import_needs_a_file_and_an_audience(door: Door) -> None:
    assert door.status("import_audiences_memberships", path=audience(1)) == 400
    assert door.status("import_audiences_memberships", path=audience(9), files={"upFile": b""}) == 404


# --- referrals


def codes(door: Door, campaign: Any = 45, application: Any = 1, **query: str) -> list[str]:
    path = {"applicationId": application, "campaignId": campaign}
    found = door.call("get_referrals_without_total_count", path=path, **query)
    return [each["code"] for each in found["data"]]


def test_referrals_can_be_found_by_advocate_code_and_time(door: Door) -> None:
    made = []
    for advocate in ("ann", "bob", "ann"):
        body = {"campaignId": 45, "advocateProfileIntegrationId": advocate}
        made.append(door.call("create_referral", body)["code"])
        door.pass_time(minutes=1)
    assert codes(door) == made
    assert codes(door, advocate="ann") == [made[0], made[2]]
    assert codes(door, advocate="Ann") == []
    assert codes(door, code=made[1]) == [made[1]]
    assert codes(door, createdAfter="2026-03-01T13:00:30+01:00") == made[1:]
    assert codes(door, createdAfter="2026-03-01T12:00:30Z", createdBefore="2026-03-01T12:01:30Z") == [made[1]]
    assert codes(door, createdAfter="0001-01-01T00:00:00Z", pageSize="1", skip="2") == [made[2]]
    assert codes(door, campaign=7) == []


def test_referrals_need_an_application_and_a_campaign_that_exist(door: Door) -> None:
    for application, campaign in ((2, 45), (1, 99), ("x", 45), (1, "x")):
        path = {"applicationId": application, "campaignId": campaign}
        assert door.status("get_referrals_without_total_count", path=path) == 404


def test_a_bad_time_in_a_filter_is_refused(door: Door) -> None:
    path = {"applicationId": 1, "campaignId": 45}
    for text in ("2026-03-01", "soon", "9999-12-31T23:59:59-01:00"):
        assert door.status("get_referrals_without_total_count", path=path, createdBefore=text) == 400
