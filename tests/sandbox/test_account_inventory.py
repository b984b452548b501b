from decimal import Decimal
from typing import Any

import pytest
from door import Door, pointers
from hypothesis import given, settings
from hypothesis import strategies as st

from t1data.sandbox import giveaways, loyalty

SECTIONS = ("profile", "referrals", "coupons", "loyalty", "giveaways", "achievements")
CLUB = {
    "id": 3,
    "name": "notes",
    "title": "Notes club",
    "subledgers": ["gifts"],
    "tiers": [{"name": "Gold", "min_points": 100}, {"name": "Basic", "min_points": 0}],
}


def club(*points: dict[str, Any]) -> Door:
    people = [{"integration_id": "ann"}, {"integration_id": "bob"}]
    return Door({"profiles": people, "loyalty_programs": [{**CLUB, "points": list(points)}]})


def ledger(door: Door, who: str = "ann", name: str = "") -> Any:
    program = door.inventory(who, "loyalty")["loyalty"]["programs"]["3"]
    return program["subLedgers"][name] if name else program["ledger"]


def test_an_inventory_shows_the_sections_asked_for_and_no_other() -> None:
    door = club()
    assert door.inventory("ann") == {}
    assert door.call("get_customer_inventory", path={"integrationId": "ann"}, coupons="False") == {}
    for section in SECTIONS:
        assert list(door.inventory("ann", section)) == [section]
    assert set(door.inventory("ann", *SECTIONS)) == set(SECTIONS)


def test_an_inventory_without_flags_can_show_everything() -> None:
    door = Door({"profiles": [{"integration_id": "ann"}]}, inventory_without_flags="everything")
    assert set(door.inventory("ann")) == set(SECTIONS)


def test_an_empty_inventory_has_lists_and_programs_all_the_same() -> None:
    found = club().inventory("ann", *SECTIONS)
    assert found["loyalty"] == {"programs": {}, "cards": []}
    assert [found[name] for name in ("referrals", "coupons", "giveaways", "achievements")] == [[], [], [], []]


@pytest.mark.parametrize("who", ["nobody", "\ud800", "ANN"])
def test_an_unknown_profile_is_a_404(who: str) -> None:
    assert club().status("get_customer_inventory", path={"integrationId": who}, profile="true") == 404


# --- loyalty


def test_a_ledger_has_every_balance_that_strict_clients_ask_for() -> None:
    door = club({"profile": "ann", "amount": 40.5})
    assert door.inventory("ann", "loyalty")["loyalty"]["programs"]["3"] == {
        "id": 3,
        "name": "notes",
        "title": "Notes club",
        "joinDate": "2026-03-01T12:00:00.000000Z",
        "ledger": {
            "currentBalance": Decimal("40.5"),
            "pendingBalance": 0,
            "negativeBalance": 0,
            "expiredBalance": 0,
            "spentBalance": 0,
            "tentativeCurrentBalance": Decimal("40.5"),
            "tentativePendingBalance": 0,
            "tentativeNegativeBalance": 0,
            "currentTier": {"id": 1, "name": "Basic"},
            "pointsToNextTier": Decimal("59.5"),
            "nextTierName": "Gold",
        },
        "subLedgers": {"gifts": {**ledger(door, name="gifts"), "currentBalance": 0}},
    }


def test_points_pend_then_count_then_expire() -> None:
    door = club(
        {"profile": "ann", "amount": 10, "start_date": "2026-03-02T00:00:00Z", "expiry_date": "2026-03-03T00:00:00Z"}
    )
    seen = []
    for _ in range(3):
        seen.append((ledger(door)["currentBalance"], ledger(door)["pendingBalance"]))
        door.pass_time(days=1)
    assert seen == [(0, 10), (10, 0), (0, 0)]


def test_points_are_taken_from_those_that_expire_first() -> None:
    door = club(
        {"profile": "ann", "amount": 10},
        {"profile": "ann", "amount": 10, "expiry_date": "2026-03-02T00:00:00Z"},
        {"profile": "ann", "amount": -12},
    )
    assert ledger(door)["currentBalance"] == 8
    door.pass_time(days=1)
    assert ledger(door)["currentBalance"] == 8


def test_points_taken_beyond_what_there_is_are_owed() -> None:
    door = club({"profile": "ann", "amount": -5})
    assert (ledger(door)["currentBalance"], ledger(door)["negativeBalance"]) == (0, 5)


def test_tentative_points_show_apart_and_can_be_taken_back() -> None:
    door = club({"profile": "ann", "amount": 1})
    door.reply("update_customer_session_v2", {"customerSession": {"profileId": "ann"}}, path={"customerSessionId": "s"})
    with door.account.transaction() as db:
        session = db.execute("SELECT id FROM session").fetchone()[0]
        loyalty.add_points(door.account, 3, 1, 9, session_id=session, tentative=True)
    assert (ledger(door)["currentBalance"], ledger(door)["tentativeCurrentBalance"]) == (1, 10)
    with door.account.transaction():
        assert [entry["amount"] for entry in loyalty.rollback(door.account, session)] == ["9"]
    assert (ledger(door)["currentBalance"], ledger(door)["tentativeCurrentBalance"]) == (1, 1)


@pytest.mark.parametrize(
    ("points", "tier", "ahead"), [(0, "Basic", "Gold"), (99.99, "Basic", "Gold"), (100, "Gold", None)]
)
def test_a_tier_is_reached_by_points(points: float, tier: str, ahead: str | None) -> None:
    found = ledger(club({"profile": "ann", "amount": points}))
    assert (found["currentTier"]["name"], found.get("nextTierName")) == (tier, ahead)


@settings(max_examples=50)
@given(st.lists(st.decimals(-1000, 1000, places=2), min_size=1, max_size=10))
def test_points_without_dates_add_up_exactly(amounts: list[Decimal]) -> None:
    found = ledger(club(*({"profile": "ann", "amount": amount} for amount in amounts)))
    assert found["currentBalance"] - found["negativeBalance"] == sum(amounts)


def test_points_can_be_added_and_deducted_by_management() -> None:
    door = club()
    path = {"loyaltyProgramId": 3, "integrationId": "ann"}
    assert door.status("add_loyalty_points", {"points": 10.5, "name": "Sorry"}, path=path) == 204
    assert door.status("add_loyalty_points", {"points": 4, "subledgerId": "gifts"}, path=path) == 204
    assert door.status("remove_loyalty_points", {"points": 3}, path=path) == 204
    assert (ledger(door)["currentBalance"], ledger(door, name="gifts")["currentBalance"]) == (7.5, 4)


@pytest.mark.parametrize(
    ("operation", "body", "pointer"),
    [
        ("add_loyalty_points", {}, "/points"),
        ("add_loyalty_points", {"points": -1}, "/points"),
        ("add_loyalty_points", {"points": 1, "subledgerId": "none"}, "/subledgerId"),
        ("remove_loyalty_points", {"points": 1}, "/points"),
    ],
)
def test_bad_points_are_refused(operation: str, body: Any, pointer: str) -> None:
    refusal = club().refusal(operation, body, path={"loyaltyProgramId": 3, "integrationId": "ann"})
    assert pointers(refusal) == [pointer]


def test_points_of_an_unknown_program_or_profile_are_a_404() -> None:
    for program, who in ((9, "ann"), (3, "nobody"), ("x", "ann")):
        path = {"loyaltyProgramId": program, "integrationId": who}
        assert club().status("add_loyalty_points", {"points": 1}, path=path) == 404


# --- giveaways and achievements


def test_giveaways_are_given_in_order_each_once_and_only_while_valid() -> None:
    codes = [{"code": "OLD", "end_date": "2026-02-01T00:00:00Z"}, {"code": "T-1"}, {"code": "T-2", "owner": "bob"}]
    door = Door(
        {"giveaway_pools": [{"id": 5, "name": "Tickets", "codes": codes}], "profiles": [{"integration_id": "ann"}]}
    )
    with door.account.transaction() as db:
        ann = db.execute("SELECT id FROM profile WHERE integration_id = 'ann'").fetchone()[0]
        given_codes = [giveaways.award(door.account, 5, ann) for _ in range(2)]
    assert [row and row["code"] for row in given_codes] == ["T-1", None]
    assert door.inventory("ann", "giveaways")["giveaways"] == [
        {
            "id": 2,
            "created": "2026-03-01T12:00:00.000000Z",
            "code": "T-1",
            "poolId": 5,
            "attributes": {},
            "used": True,
            "profileIntegrationId": "ann",
            "profileId": ann,
        }
    ]


def test_achievements_tell_how_far_a_profile_is() -> None:
    goal = {"name": "Three", "title": "Three", "target": 3, "progress": {"ann": 1, "bob": 3}}
    late = {"name": "Late", "title": "Late", "target": 3, "end_date": "2026-02-01T00:00:00Z"}
    door = Door(
        {"campaigns": [{"name": "Goals", "achievements": [goal, late]}], "profiles": [{"integration_id": "cleo"}]}
    )
    for who, status, progress in (("ann", "inprogress", 1), ("bob", "completed", 3), ("cleo", "not_started", 0)):
        first, second = door.inventory(who, "achievements")["achievements"]
        assert (first["status"], first["progress"], second["status"]) == (status, progress, "expired")
