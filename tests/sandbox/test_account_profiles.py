from decimal import Decimal
from typing import Any

import pytest
from door import Door, attribute, pointers
from hypothesis import given, settings
from hypothesis import strategies as st

from t1data.sandbox.attributes import merge
from t1data.sandbox.core import dump, parse

SHOP = {
    "attributes": [
        attribute("CDs", "number"),
        attribute("Since", "time"),
        attribute("Likes", "(list string)"),
        attribute("Regular", "boolean"),
        attribute("Home", "location"),
        attribute("Tier", "string", suggestions=["gold", "silver"], restricted=True),
    ],
    "audiences": [{"id": 1, "name": "VIP"}, {"id": 2, "name": "New"}],
}
BATCH = "update_customer_profiles_v2"
ONE = "update_customer_profile_v2"


@pytest.fixture
def door() -> Door:
    return Door(SHOP)


def batch(*items: tuple[str, Any]) -> dict[str, Any]:
    return {"customerProfiles": [{"integrationId": who, "attributes": values} for who, values in items]}


def who(integration_id: str) -> dict[str, str]:
    return {"integrationId": integration_id}


# --- the profile object


def test_a_profile_has_every_field_that_strict_clients_ask_for(door: Door) -> None:
    door.upsert(ann={"Name": "Ann"})
    profile = door.profile("ann")
    assert profile == {
        "id": 1,
        "created": "2026-03-01T12:00:00.000000Z",
        "integrationId": "ann",
        "attributes": {"Name": "Ann"},
        "accountId": 1,
        "closedSessions": 0,
        "totalSales": 0,
        "loyaltyMemberships": None,
        "audienceMemberships": [],
        "lastActivity": "2026-03-01T12:00:00.000000Z",
        "sandbox": True,
    }


def test_ids_are_kept_as_they_are_and_told_apart_by_case_and_space(door: Door) -> None:
    for integration_id in ("ann", "Ann", " ann", "007", "a/b?c%2F#", "ü" * 1000, "\u0000"):
        door.reply(BATCH, batch((integration_id, {"Name": integration_id})))
        assert door.profile(integration_id)["attributes"]["Name"] == integration_id


# --- operation 8


def test_a_batch_is_silent_unless_told_otherwise(door: Door) -> None:
    assert door.reply(BATCH, batch(("ann", {}))).status == 204
    answer = door.reply(BATCH, batch(("bob", {}), ("ann", {"CDs": 3})), silent="no")
    assert answer.status == 200
    states = [state["customerProfile"] for state in answer.body["integrationStates"]]
    assert [state["integrationId"] for state in states] == ["bob", "ann"]
    assert states[1]["attributes"] == {"CDs": 3}


def test_an_unknown_word_for_silent_is_refused(door: Door) -> None:
    refusal = door.refusal(BATCH, batch(), silent="maybe")
    assert (refusal.status, refusal.errors[0]["source"]) == (400, {"parameter": "silent"})


def test_numbers_come_back_digit_for_digit(door: Door) -> None:
    for number in ("11.10", "0.1", "1E-30", "12345678901234567890123456789012345678901", "1E+50", "-0.0"):
        door.reply(
            BATCH, parse(f'{{"customerProfiles": [{{"integrationId": "ann", "attributes": {{"CDs": {number}}}}}]}}')
        )
        assert dump(door.profile("ann")["attributes"]["CDs"]) == number


def test_an_update_sets_what_is_sent_keeps_the_rest_and_null_removes(door: Door) -> None:
    door.upsert(ann={"Name": "Ann", "CDs": 1, "Regular": True})
    door.upsert(ann={"CDs": 2, "Name": None})
    assert door.profile("ann")["attributes"] == {"CDs": 2, "Regular": True}


def test_null_keeps_the_value_when_the_account_says_so() -> None:
    door = Door(SHOP, null_clears=False)
    door.upsert(ann={"Name": "Ann"})
    door.upsert(ann={"Name": None})
    assert door.profile("ann")["attributes"] == {"Name": "Ann"}


def test_one_bad_item_refuses_the_whole_batch_and_is_pointed_at(door: Door) -> None:
    refusal = door.refusal(BATCH, batch(("ann", {"CDs": 1}), ("bob", {"CDs": "1", "Shoe/Size~": 4})))
    assert (refusal.status, refusal.message) == (400, "The submitted data was invalid")
    assert refusal.errors == [
        {
            "title": "Invalid type",
            "details": 'Value of "CDs" attribute ("1") is not a number',
            "source": {"pointer": "/customerProfiles/1/attributes/CDs"},
        },
        {
            "title": "Unknown",
            "details": 'The attribute "Shoe/Size~" is not defined on CustomerProfile entities.',
            "source": {"pointer": "/customerProfiles/1/attributes/Shoe~1Size~0"},
        },
    ]
    assert door.status("get_customer_inventory", path=who("ann")) == 404


def test_bad_items_can_be_passed_over_instead() -> None:
    door = Door(SHOP, bad_batch_item="skip_bad")
    assert door.status(BATCH, batch(("ann", {"CDs": 1}), ("bob", {"CDs": "1"}))) == 204
    assert door.profile("ann")["attributes"] == {"CDs": 1}
    assert door.status("get_customer_inventory", path=who("bob")) == 404


def test_faults_can_be_kept_from_the_answer() -> None:
    assert Door(SHOP, point_at_faults=False).refusal(BATCH, batch(("ann", {"CDs": "1"}))).errors == []


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("Name", "Ann", False),
        ("CDs", 3, True),
        ("Regular", False, 0),
        ("Since", "1997-01-01T00:00:00+01:00", "1997-01-01T00:00:00"),
        ("Since", "1997-01-01T00:00:00.123456789Z", "1997-02-30T00:00:00Z"),
        ("Likes", ["jazz", ""], ["jazz", 1]),
        ("Likes", [], "jazz"),
        ("Home", [52.5, 13.4], [52.5]),
        ("Home", {"latitude": 52.5, "longitude": 13.4}, {"latitude": 52.5}),
        ("Tier", "gold", "tin"),
        ("Name", "\U0001f4bf", "\ud83d"),
        ("CDs", Decimal("1E+308"), Decimal("1E+400")),
        ("CDs", 10**40, float("nan")),
    ],
)
def test_a_value_must_have_the_type_of_its_attribute(door: Door, name: str, good: Any, bad: Any) -> None:
    door.upsert(ann={name: good})
    assert door.profile("ann")["attributes"][name] == parse(dump(good))
    assert pointers(door.refusal(BATCH, batch(("ann", {name: bad})))) == [f"/customerProfiles/0/attributes/{name}"]


def test_the_literal_text_of_a_wrong_type_is_talon_ones(door: Door) -> None:
    refusal = door.refusal(BATCH, batch(("ann", {"Name": False})))
    assert refusal.errors[0]["details"] == 'Value of "Name" attribute (false) is not a string'
    refusal = door.refusal(BATCH, batch(("ann", {"Likes": "jazz"})))
    assert refusal.errors[0]["details"] == 'Value of "Likes" attribute ("jazz") is not a list of strings'


def test_unknown_attributes_can_be_declared_by_their_first_value() -> None:
    door = Door(unknown_attribute="declare")
    door.upsert(ann={"Shoes": 4, "Since": "1997-01-01T00:00:00Z", "Likes": ["jazz"]})
    found = door.call("get_attributes", kind="custom")["data"]
    assert {item["name"]: item["type"] for item in found} == {
        "Shoes": "number",
        "Since": "time",
        "Likes": "(list string)",
    }
    assert door.refusal(BATCH, batch(("ann", {"Shoes": "4"}))).errors[0]["title"] == "Invalid type"


def test_an_id_twice_in_a_batch_is_applied_in_order(door: Door) -> None:
    door.reply(BATCH, batch(("ann", {"CDs": 1, "Name": "Ann"}), ("bob", {}), ("ann", {"CDs": 2})))
    assert door.profile("ann")["attributes"] == {"CDs": 2, "Name": "Ann"}


def test_an_id_twice_in_a_batch_can_be_refused() -> None:
    door = Door(SHOP, duplicate_in_batch="reject")
    assert pointers(door.refusal(BATCH, batch(("ann", {}), ("ann", {})))) == ["/customerProfiles/1/integrationId"]


def test_a_batch_has_at_most_1000_items(door: Door) -> None:
    people = [(f"{number:05}", {"CDs": number}) for number in range(1001)]
    assert door.status(BATCH, batch(*people[:1000])) == 204
    assert pointers(door.refusal(BATCH, batch(*people))) == ["/customerProfiles"]
    assert door.profile("00999")["attributes"] == {"CDs": 999}


@pytest.mark.parametrize("integration_id", ["", "x" * 1001, None, 7, "\ud800"])
def test_an_id_must_be_text_of_1_to_1000_characters(door: Door, integration_id: Any) -> None:
    refusal = door.refusal(BATCH, batch((integration_id, {})))
    assert pointers(refusal) == ["/customerProfiles/0/integrationId"]


def test_the_order_of_states_can_be_shuffled() -> None:
    door = Door(response_order="shuffled")
    people = [(f"{number:03}", {}) for number in range(100)]
    states = door.call(BATCH, batch(*people), silent="no")["integrationStates"]
    ids = [state["customerProfile"]["integrationId"] for state in states]
    assert ids != sorted(ids) == [integration_id for integration_id, _ in people]


# --- operation 7


def test_one_profile_is_created_and_merged(door: Door) -> None:
    plain = door.call(ONE, {"attributes": {"CDs": 1}}, path=who("ann"))
    assert plain == {"effects": [], "createdCoupons": [], "createdReferrals": []}
    answer = door.call(ONE, {"attributes": {"Name": "Ann"}, "responseContent": ["customerProfile"]}, path=who("ann"))
    assert answer["customerProfile"]["attributes"] == {"CDs": 1, "Name": "Ann"}


def test_an_empty_update_reads_a_profile_and_changes_nothing(door: Door) -> None:
    door.upsert(ann={"CDs": 1})
    before = door.profile("ann")
    door.pass_time(hours=1)
    answer = door.call(ONE, {"responseContent": ["customerProfile", "loyalty"]}, path=who("ann"))
    assert answer["customerProfile"] == before
    assert "loyalty" not in answer


def test_last_activity_moves_only_when_the_rules_run_for_real(door: Door) -> None:
    door.upsert(ann={})
    door.pass_time(hours=1)
    door.reply(ONE, {}, path=who("ann"))
    door.reply(ONE, {}, path=who("ann"), runRuleEngine="true", dry="true")
    assert door.profile("ann")["lastActivity"] == "2026-03-01T12:00:00.000000Z"
    door.reply(ONE, {}, path=who("ann"), runRuleEngine="True")
    assert door.profile("ann")["lastActivity"] == "2026-03-01T13:00:00.000000Z"


def test_a_dry_run_answers_as_if_and_keeps_nothing(door: Door) -> None:
    body = {
        "attributes": {"CDs": 1},
        "audiencesChanges": {"adds": [1], "deletes": []},
        "responseContent": ["customerProfile"],
    }
    answer = door.call(ONE, body, path=who("ann"), runRuleEngine="true", dry="true")
    assert answer["customerProfile"]["audienceMemberships"] == [{"id": 1, "name": "VIP"}]
    assert door.status("get_customer_inventory", path=who("ann")) == 404


def test_dry_without_the_rules_is_no_dry_run(door: Door) -> None:
    door.reply(ONE, {"attributes": {"CDs": 1}}, path=who("ann"), dry="true")
    assert door.profile("ann")["attributes"] == {"CDs": 1}


def test_profile_events_meet_the_rules_of_campaigns() -> None:
    rule = {
        "name": "Welcome",
        "when": {"event": "talon_profile_created"},
        "then": [{"effect": "addLoyaltyPoints", "program": 3, "points": 10}],
    }
    door = Door(
        {"campaigns": [{"id": 7, "name": "Hello", "rules": [rule]}], "loyalty_programs": [{"id": 3, "name": "p"}]}
    )
    body = {"responseContent": ["loyalty", "triggeredCampaigns", "event"]}
    answer = door.call(ONE, body, path=who("ann"), runRuleEngine="true")
    assert [effect["effectType"] for effect in answer["effects"]] == ["addLoyaltyPoints"]
    assert answer["loyalty"]["programs"]["3"]["ledger"]["currentBalance"] == 10
    assert [campaign["id"] for campaign in answer["triggeredCampaigns"]] == [7]
    assert answer["event"]["type"] == "talon_profile_created"
    assert door.call(ONE, {}, path=who("ann"), runRuleEngine="true")["effects"] == []


def test_only_the_campaigns_chosen_hear_of_an_update() -> None:
    note = {"effect": "showNotification", "title": "t", "body": "b"}
    rule = {"name": "Hello", "when": {"event": "talon_profile_created"}, "then": [note]}
    door = Door({"campaigns": [{"id": each, "name": str(each), "rules": [rule]} for each in (7, 8)]})
    body = {"evaluableCampaignIds": [8]}
    answer = door.call(ONE, body, path=who("ann"), runRuleEngine="true", dry="true")
    assert [effect["campaignId"] for effect in answer["effects"]] == [8]


def test_audiences_are_joined_and_left_with_an_update(door: Door) -> None:
    door.reply(ONE, {"audiencesChanges": {"adds": [1, 2], "deletes": []}}, path=who("ann"))
    assert door.profile("ann")["audienceMemberships"] == [{"id": 1, "name": "VIP"}, {"id": 2, "name": "New"}]
    door.reply(ONE, {"audiencesChanges": {"adds": [], "deletes": [1, 1]}}, path=who("ann"))
    assert door.profile("ann")["audienceMemberships"] == [{"id": 2, "name": "New"}]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"audiencesChanges": {"adds": [1]}}, "/audiencesChanges/deletes"),
        ({"audiencesChanges": {"adds": [99], "deletes": []}}, "/audiencesChanges/adds"),
        ({"audiencesChanges": {"adds": ["1"], "deletes": []}}, "/audiencesChanges/adds/0"),
        ({"responseContent": ["everything"]}, "/responseContent/0"),
        ({"attributes": {"Shoes": 1}}, "/attributes/Shoes"),
        ({"attributes": []}, "/attributes"),
        ([], ""),
        (None, ""),
    ],
)
def test_a_bad_update_is_refused_where_it_is_bad_and_makes_nothing(door: Door, body: Any, pointer: str) -> None:
    refusal = door.refusal(ONE, body, path=who("ann"), runRuleEngine="1")
    assert (refusal.status, pointers(refusal)) == (400, [pointer])
    assert door.status("get_customer_inventory", path=who("ann")) == 404


def test_flags_take_true_and_false_in_any_case_and_1_and_0(door: Door) -> None:
    for word, runs in (("true", True), ("True", True), ("1", True), ("false", False), ("FALSE", False), ("0", False)):
        answer = door.call(ONE, {}, path=who("ann"), runRuleEngine=word)
        assert ("ruleFailureReasons" in answer) is runs
    refusal = door.refusal(ONE, {}, path=who("ann"), runRuleEngine="yes")
    assert refusal.errors[0]["source"] == {"parameter": "runRuleEngine"}


# --- operation 10


def test_erasure_wipes_attributes_and_nothing_else(door: Door) -> None:
    door.upsert(ann={"Name": "Ann", "CDs": 3}, bob={"Name": "Bob"})
    door.reply(ONE, {"audiencesChanges": {"adds": [1], "deletes": []}}, path=who("ann"))
    before = door.profile("ann")
    assert door.reply("delete_customer_data", path=who("ann")).status == 204
    assert door.profile("ann") == {**before, "attributes": {}}
    assert door.profile("bob")["attributes"] == {"Name": "Bob"}


def test_erasure_reaches_sessions_and_their_items() -> None:
    door = Door(
        {"attributes": [attribute("Note", "string", "CustomerSession"), attribute("Size", "number", "CartItem")]}
    )
    item = {"sku": "cd", "name": "CD", "quantity": 1, "price": 10, "attributes": {"Size": 12}}
    session = {"profileId": "ann", "attributes": {"Note": "private"}, "cartItems": [item]}
    door.reply("update_customer_session_v2", {"customerSession": session}, path={"customerSessionId": "s1"})
    door.reply("delete_customer_data", path=who("ann"))
    kept = door.account.db.execute("SELECT body FROM session").fetchone()[0]
    assert "private" not in kept
    assert '"Size"' not in kept
    assert '"sku":"cd"' in kept


def test_erasure_reaches_the_codes_and_gifts_of_a_profile_and_leaves_those_of_others() -> None:
    entities = ("Coupon", "Referral", "Giveaway")
    note = {"attributes": {"Note": "private"}}
    mine = [{"value": "MINE", "recipient": "ann", **note}, {"value": "THEIRS", "recipient": "bob", **note}]
    campaign = {
        "name": "x",
        "coupons": mine,
        "referrals": [{"code": code, "advocate": who, **note} for code, who in (("ANNS", "ann"), ("BOBS", "bob"))],
    }
    door = Door(
        {
            "attributes": [attribute("Note", "string", entity) for entity in entities],
            "campaigns": [campaign],
            "giveaway_pools": [{"name": "p", "codes": [{"code": who, "owner": who, **note} for who in ("ann", "bob")]}],
        }
    )
    door.reply("delete_customer_data", path=who("ann"))
    sections = ("coupons", "referrals", "giveaways")
    for name, left in (("ann", {}), ("bob", {"Note": "private"})):
        stock = door.inventory(name, *sections)
        assert [stock[section][0]["attributes"] for section in sections] == [left] * 3


def test_erasure_of_somebody_unknown_is_a_404(door: Door) -> None:
    assert door.status("delete_customer_data", path=who("ann")) == 404


# --- merge


values = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=3)
objects = st.dictionaries(st.sampled_from("abcdefgh"), values, max_size=8)
stored = objects.map(lambda each: {name: value for name, value in each.items() if value is not None})


@given(stored, objects)
def test_a_merge_sets_clears_and_keeps(old: dict[str, Any], new: dict[str, Any]) -> None:
    merged = merge(old, new)
    for name in "abcdefgh":
        expected = new[name] if name in new else old.get(name)
        assert merged.get(name) == expected
        assert (name in merged) is (expected is not None)


@given(stored, objects)
def test_a_merge_twice_is_a_merge_once(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert merge(merge(old, new), new) == merge(old, new)


sent = st.fixed_dictionaries(
    {},
    optional={
        "Name": st.none() | st.text(max_size=8).filter(lambda text: text.isprintable()),
        "CDs": st.none() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=3),
        "Regular": st.none() | st.booleans(),
        "Likes": st.none() | st.lists(st.text("abü", max_size=3), max_size=3),
    },
)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(["ann", "bob"]), sent), max_size=6))
def test_a_batch_is_the_same_as_its_items_one_by_one(items: list[tuple[str, Any]]) -> None:
    together, apart = Door(SHOP), Door(SHOP)
    together.reply(BATCH, batch(*items))
    for name, values_sent in items:
        apart.reply(ONE, {"attributes": values_sent}, path=who(name))
    for name in {name for name, _ in items}:
        assert together.profile(name)["attributes"] == apart.profile(name)["attributes"]
