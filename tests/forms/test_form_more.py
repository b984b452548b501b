"""The forms for coupons, inventories, audiences, sessions and erasure, from the Python side."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from front import Front, Hand, saved, upload
from test_form_faces import of_shell
from test_form_upsert import until_seen

import t1data as t1
from t1data.forms.data import chosen_file
from t1data.forms.request import Request
from t1data.sandbox import Delay, Sandbox, Status

RESERVE, RELEASE = "create_coupon_reservation", "delete_coupon_reservation"
INVENTORY, SESSION = "get_customer_inventory", "update_customer_session_v2"
TEN_OFF = {"name": "Ten off", "when": {}, "then": [{"effect": "setDiscount", "name": "Ten", "amount": 10}]}
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[t1.Client]:
    summer = {"id": 46, "name": "Summer", "features": ["coupons"], "coupons": [{"value": "25%OFF"}, {"value": "FREE"}]}
    sale = {"id": 47, "name": HOSTILE, "rules": [TEN_OFF]}
    members = [f"m{number}" for number in range(20)]
    vip = {"id": 748, "name": "VIP", "members": members}
    sandbox.load({"campaigns": [summer, sale], "audiences": [vip]})
    key = sandbox.management_key
    with t1.Client(sandbox.base_url, sandbox.api_key, management_key=key, rate=None) as connected:
        yield connected


def checked(form: Any, **fields: Any) -> Hand:
    hand = Hand(form)
    for label, value in fields.items():
        hand.fill(label.replace("_", " "), value)
    hand.press("Check")
    hand.wait()
    return hand


def run(hand: Hand, words: str | None = None) -> Hand:
    if words is not None:
        assert not hand.works("Run")
        hand.fill(f"Type: {words}", words)
    hand.press("Run")
    hand.wait()
    return hand


def names(*ids: str) -> pd.DataFrame:
    return pd.DataFrame({"integration_id": list(ids)})


# --- coupons ------------------------------------------------------------------------------------------------


def pairs(*customers: str) -> pd.DataFrame:
    return pd.DataFrame({"coupon": ["25%OFF"] * len(customers), "integration_id": customers})


def test_coupons_are_reserved_found_and_released(client: t1.Client, sandbox: Sandbox, front: Front) -> None:
    t1.upsert_profiles(client, names("ada", "grace").assign(Age=1), progress=False)
    hand = checked(t1.forms.coupons(client, pairs("ada", "grace", " x")))
    assert hand.said().startswith("Checked: 2 pairs of coupon and customer would be sent in 1 request, 1 row cannot")
    run(hand)
    assert hand.said() == "Finished: 2 rows accepted, 1 failed."
    hand.fill("What to do", "read who holds coupons; changes nothing")
    assert not hand.works("Run")
    hand.press("Check")
    hand.wait()
    assert hand.said().startswith("Checked: 1 coupon would be read, 0 rows cannot be.")
    run(hand)
    assert sorted(hand.form.run.holders["integration_id"]) == ["ada", "grace"]
    assert "Holders: 2." in hand.page()
    hand.press("Download holders")
    assert "grace" in front.downloads[f"holders-{hand.form.run.id}.csv"].decode()
    hand.fill("What to do", "release coupons of customers")
    hand.press("Check")
    hand.wait()
    run(hand, "release 2")
    assert hand.form.run.operation == "release_coupons"
    assert len(sandbox.requests.of(RELEASE)) == 1


def test_only_the_fields_of_what_is_to_be_done_are_shown(client: t1.Client) -> None:
    hand = Hand(t1.forms.coupons(client, pairs("ada")))
    customers = hand.field("Column of customers")
    assert customers.layout.display is None
    hand.fill("What to do", "read who holds coupons; changes nothing")
    assert customers.layout.display == "none"
    hand.press("Check")
    hand.wait()
    assert "t1.fetch_reservations(client, rows)" in hand.form.code()


def test_a_form_of_several_jobs_offers_what_any_of_them_left_behind(client: t1.Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Status(401), on=RELEASE)
    t1.release_coupons(client, pairs("ada"), progress=False)
    sandbox.faults.clear()
    hand = Hand(t1.forms.coupons(client, pairs("ada")))
    hand.wait()
    hand.press("Resume this run")
    hand.wait()
    assert hand.said() == "Finished: 1 row accepted, 0 failed."


# --- inventories --------------------------------------------------------------------------------------------


def test_inventories_are_read_and_shown_table_by_table(client: t1.Client, sandbox: Sandbox, front: Front) -> None:
    t1.upsert_profiles(client, pd.DataFrame({"integration_id": ["ada"], "Note": [HOSTILE]}), progress=False)
    t1.reserve_coupons(client, pairs("ada"), progress=False)
    hand = checked(t1.forms.inventories(client, names("ada", "nobody", "ada", " x")))
    assert hand.said().startswith("Checked: 2 customers would be read, 1 row cannot be.")
    assert "1 row more that name one of an earlier row" in hand.page()
    run(hand)
    assert isinstance(hand.form.run, t1.Inventories)
    assert repr(hand.form.run).startswith("<Inventories of 2 of 4 customers")
    words = " ".join(hand.page().split())
    assert "Profiles 1 Coupons 1" in words
    assert HOSTILE not in hand.html()
    hand.fill("Table", "Coupons")
    assert "25%OFF" in hand.page()
    assert "1 coupon" in hand.html().partition("alt='")[2]
    hand.press("Download this table")
    assert "25%OFF" in front.downloads[f"coupons-{hand.form.run.run.id}.csv"].decode()


def test_only_what_is_ticked_is_read_and_tables_go_to_a_folder_also_after_a_stop(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    people = names(*(f"c{number}" for number in range(6)))
    t1.upsert_profiles(client, people.assign(Age=1), progress=False)
    stop = sandbox.faults.add(Status(401), on=INVENTORY, nth=3)
    fields = {"referrals": False, "loyalty": False, "giveaways": False, "achievements": False}
    hand = checked(t1.forms.inventories(client, people), **fields, Folder_for_the_tables="stock", Requests_at_once="1")
    assert "include=['profile', 'coupons']" in hand.form.code()
    run(hand)
    assert stop.seen >= 3
    assert hand.form.state == "stopped"
    sandbox.faults.clear()
    hand.press("Resume")
    hand.wait()
    assert hand.said() == "Finished: 6 rows accepted, 0 failed."
    assert len(pd.read_parquet(tmp_path / "stock" / "profiles.parquet")) == 6
    assert len(hand.form.run.profiles) == 6


def test_nobody_is_named_where_no_rows_are_to_be_shown(client: t1.Client, sandbox: Sandbox) -> None:
    t1.upsert_profiles(client, names("ada-secret").assign(Note="x" * 99), progress=False)
    quiet = run(checked(t1.forms.inventories(client, names("ada-secret", "grace-secret"), show_rows=False)))
    assert quiet.form.run.run.counts["refused"] == 1
    assert "Profiles: 1." in quiet.page()
    assert "secret" not in saved()
    shown = run(checked(t1.forms.inventories(client, names("ada-secret"))))
    assert "ada-secret" in shown.page()
    assert f"{'x' * 60}…" in shown.page()


def test_every_table_of_a_full_inventory_can_be_taken_along(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.reset()
    sandbox.load(Path(__file__).parents[2] / "sample_data")
    buyers = names("00001", "00002", "07592", "14048").assign(state="closed")
    carts = buyers.assign(session_id=buyers["integration_id"])
    items = carts[["session_id"]].assign(sku="cd", quantity=1, price=80.0)
    t1.update_sessions(client, carts, items, progress=False)
    hand = run(checked(t1.forms.inventories(client, buyers)))
    tables = [label for label, _ in hand.field("Table").options]
    assert len(tables) >= 5
    for name in tables:
        hand.fill("Table", name)
        assert f"{name}" in hand.page()
        hand.press("Download this table")
        assert hand.said().startswith(f"{name.lower().replace(' ', '-')}-")


def test_nothing_ticked_is_told(client: t1.Client) -> None:
    sections = ("profile", "referrals", "coupons", "loyalty", "giveaways", "achievements")
    hand = checked(t1.forms.inventories(client, names("ada")), **dict.fromkeys(sections, False))
    run(hand)
    assert hand.said().startswith("Error: 'What to read': name at least one of")


def test_inventories_that_were_left_behind_are_shown(client: t1.Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Status(401), on=INVENTORY, nth=2)
    t1.upsert_profiles(client, names("ada", "grace").assign(Age=1), progress=False)
    t1.fetch_inventories(client, names("ada", "grace"), connections=1, progress=False)
    hand = Hand(t1.forms.inventories(client))
    hand.wait()
    hand.press("Show")
    assert "What it brought home is shown once its rows are chosen" in hand.page()
    other = Hand(t1.forms.inventories(client, names("ada", "grace")))
    other.wait()
    other.press("Show")
    assert "Profiles: 1." in other.page()


# --- audiences ----------------------------------------------------------------------------------------------


def members(client: t1.Client) -> set[str]:
    return set(t1.fetch_members(client, "VIP")["integration_id"])


def test_an_audience_is_compared_first_and_the_number_of_those_who_leave_is_typed(
    client: t1.Client, sandbox: Sandbox
) -> None:
    after = names("new", *(f"m{number}" for number in range(5)))
    hand = checked(t1.forms.audiences(client, after), Audience="VIP")
    assert hand.said().startswith("Checked: 1 customer would be added, 15 taken out.")
    assert "1 join, 15 leave, 5 stay" in hand.page()
    assert "20 members become 6" in hand.html().partition("alt='")[2]
    assert len(members(client)) == 20
    run(hand, "take out 15")
    assert hand.said() == "Finished: 16 rows accepted, 0 failed."
    assert members(client) == set(after["integration_id"])
    assert "t1.sync_audience(client, 'VIP', after, max_removed=15)" in hand.form.code().replace("rows", "after")


def test_more_than_the_typed_number_never_leave(client: t1.Client, sandbox: Sandbox) -> None:
    hand = checked(t1.forms.audiences(client, names(*(f"m{number}" for number in range(19)))), Audience="748")
    t1.sync_audience(client, 748, names("late", "later"), mode="add", progress=False)
    run(hand, "take out 1")
    assert hand.said().startswith("Error: the plan would take out 3 of 22 members. If that is meant, say 'Who may")
    assert len(members(client)) == 22


def test_who_only_joins_needs_no_number(client: t1.Client, sandbox: Sandbox) -> None:
    hand = checked(t1.forms.audiences(client, names("new", "m1")), Audience="VIP", What_to_do="only add who is missing")
    run(hand)
    assert hand.said() == "Finished: 1 row accepted, 0 failed."
    assert len(members(client)) == 21


def test_an_audience_is_emptied_only_by_two_numbers(client: t1.Client, sandbox: Sandbox) -> None:
    hand = checked(t1.forms.audiences(client, names()), Audience="VIP")
    assert "so that all 20 members would be taken out" in hand.said()
    assert "say 'Who may leave, at most': 20. Nothing was sent" in hand.said()
    hand.fill("Who may leave, at most", "20")
    hand.press("Check")
    hand.wait()
    run(hand, "take out 20")
    assert members(client) == set()


def test_a_sync_that_was_stopped_is_checked_anew(client: t1.Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Status(401), on="update_customer_profile_audiences")
    hand = checked(t1.forms.audiences(client, names("new")), Audience="VIP", What_to_do="only add who is missing")
    run(hand)
    assert hand.said().endswith("1 row not sent. Check again: it finds what is left to do.")
    assert "Resume" not in [getattr(each, "description", None) for each in hand.widgets()]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Audience is missing: give its number, or its name"),
        ("Nobody", "'Audience': the account has none named 'Nobody'"),
        ("0", "valid is the number of an audience"),
    ],
)
def test_an_audience_that_cannot_be_meant_is_told(client: t1.Client, name: str, words: str) -> None:
    assert words in checked(t1.forms.audiences(client, names("a")), Audience=name).said()


def test_members_are_read_with_a_management_key(sandbox: Sandbox) -> None:
    with t1.Client(sandbox.base_url, sandbox.api_key) as client:
        hand = checked(t1.forms.audiences(client, names("a")), Audience="748")
    assert "management key" in hand.said()


# --- sessions -----------------------------------------------------------------------------------------------


def carts(*sessions: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = pd.DataFrame({"session_id": sessions, "integration_id": "ada"})
    return rows, pd.DataFrame({"session_id": sessions, "sku": "cd", "quantity": 2, "price": 11.5})


def test_carts_are_replayed_and_nothing_is_changed_unless_it_is_told_to(client: t1.Client, sandbox: Sandbox) -> None:
    rows, items = carts("s1", "s2")
    hand = checked(t1.forms.sessions(client, rows, items), For_all_sessions="state = closed")
    assert hand.said().startswith("Checked: 2 sessions would be asked about, and nothing changed, 0 rows")
    run(hand)
    words = " ".join(hand.page().split())
    assert "Campaigns 1 Totals 2 Effects" in words
    assert "20 of discount from 1 campaign" in hand.html().partition("alt='")[2]
    assert HOSTILE not in hand.html()
    hand.fill("Table", "Totals")
    assert "23.0" in hand.page()
    assert all("dry=true" in seen.query for seen in sandbox.requests.of(SESSION))
    hand.fill("What to do", "update the sessions")
    hand.press("Check")
    hand.wait()
    run(hand, "update 2")
    assert hand.form.run.totals["state"].tolist() == ["closed", "closed"]


def test_items_come_from_a_file_and_code_names_both(client: t1.Client, sandbox: Sandbox, tmp_path: Path) -> None:
    rows, items = carts("s1")
    rows.to_csv("carts.csv", index=False)
    items.to_csv("items.csv", index=False)
    hand = Hand(t1.forms.sessions(client))
    hand.fill("File on this server", "carts.csv")
    hand.fill("Items: rows from", "A file on this server")
    hand.fill("Items: file on this server", "items.csv")
    hand.press("Check")
    hand.wait()
    assert "1 session, 1 item in their carts" in hand.page()
    code = hand.form.code()
    assert "t1.update_sessions(client, 'carts.csv', items='items.csv', dry=True)" in code
    assert "t1data sessions replay carts.csv --items items.csv --dry" in code
    hand.fill("Items: rows from", "nowhere: there are none")
    assert not hand.works("Run")


def test_items_that_are_uploaded_stand_in_no_saved_state_and_in_code_by_their_name(
    client: t1.Client, sandbox: Sandbox
) -> None:
    rows, items = carts("s1")
    hand = Hand(t1.forms.sessions(client, rows, show_rows=False))
    hand.fill("Items: rows from", "A file of my own machine")
    content = items.assign(name="secret-name").to_csv(index=False).encode()
    upload(hand, "../mine.csv", content, piece=10, label="Items: upload a file")
    hand.press("Check")
    hand.wait()
    run(hand)
    assert hand.form.run.totals["total"].tolist() == [23.0]
    assert "secret-name" not in saved()
    assert "items='mine.csv'" in hand.form.code()
    hand.field("Items: upload a file")._handle_custom_msg({"type": "begin", "name": "b.csv", "size": 2_000_000_000}, [])
    assert "b.csv has 2,000 MB" in hand.page()


def test_items_without_a_session_are_told_by_their_row(client: t1.Client) -> None:
    rows, items = carts("s1")
    hand = checked(t1.forms.sessions(client, rows, items.assign(price="many")))
    assert hand.form.state == "blocked"
    assert "items 0" in hand.page()


def test_a_replay_from_memory_that_was_stopped_goes_on_with_both_inputs(client: t1.Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Status(401), on=SESSION, nth=2)
    rows, items = carts("s1", "s2", "s3")
    hand = checked(t1.forms.sessions(client, rows, items), Requests_at_once="1")
    run(hand)
    assert hand.form.state == "stopped"
    sandbox.faults.clear()
    other = Hand(t1.forms.sessions(client, rows, items))
    other.wait()
    hand.press("Resume")
    hand.wait()
    assert hand.said() == "Finished: 3 rows accepted, 0 failed."


@pytest.mark.parametrize("of_file", [False, True])
def test_a_replay_that_was_left_behind_takes_both_inputs_again(
    client: t1.Client, sandbox: Sandbox, of_file: bool
) -> None:
    sandbox.faults.add(Status(401), on=SESSION, nth=2)
    rows, items = carts("s1", "s2", "s3")
    if of_file:
        rows.to_csv("carts.csv", index=False)
        rows = "carts.csv"
    t1.update_sessions(client, rows, items, dry=True, connections=1, progress=False)
    sandbox.faults.clear()
    hand = Hand(t1.forms.sessions(client, rows, items))
    hand.wait()
    hand.press("Resume this run")
    hand.wait()
    assert hand.said() == "Finished: 3 rows accepted, 0 failed."
    assert hand.form.run.totals["total"].tolist() == [23.0] * 3


# --- erasure ------------------------------------------------------------------------------------------------


def test_customers_are_erased_by_their_number_and_the_evidence_is_named(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    t1.upsert_profiles(client, names("ada", "grace").assign(Age=1), progress=False)
    hand = checked(t1.forms.erasure(client, ["ada", "grace", "ada", " x"]), Evidence_file="evidence.jsonl")
    assert hand.said().startswith("Checked: 2 customers would be erased, 1 row cannot be sent.")
    assert "It does not reach" in hand.page()
    run(hand, "erase 2")
    assert hand.form.run.counts["accepted"] == 3
    assert "Evidence: " in hand.page()
    assert str(tmp_path / "evidence.jsonl") in hand.page()
    assert "whole and unchanged" in hand.page()
    assert "confirm=2" in hand.form.code()
    assert t1.verify_evidence("evidence.jsonl", ids=["ada", "grace"]).proves_all


def test_pasted_customers_are_erased_and_their_ids_stand_in_no_state(client: t1.Client, sandbox: Sandbox) -> None:
    t1.upsert_profiles(client, names("ada-secret").assign(Age=1), progress=False)
    hand = Hand(t1.forms.erasure(client, show_rows=False))
    hand.fill("Rows from", "Ids that I paste")
    hand.fill("Ids, one a line", "ada-secret\n")
    hand.press("Check")
    hand.wait()
    run(hand, "erase 1")
    assert hand.form.run.counts["accepted"] == 1
    assert "ada-secret" not in saved()


# --- effects of an upsert -----------------------------------------------------------------------------------


def test_effects_are_shown_after_an_upsert_to_which_the_campaigns_react(client: t1.Client, sandbox: Sandbox) -> None:
    points = {"effect": "addLoyaltyPoints", "program": 3, "name": "Hello", "points": 7}
    rule = {"name": "hello", "when": {"event": "talon_profile_created"}, "then": [points]}
    program = {"id": 3, "name": "notes", "title": "Notes"}
    sandbox.load({"loyalty_programs": [program], "campaigns": [{"id": 48, "name": "Hello", "rules": [rule]}]})
    people = names("ada").assign(Age=1)
    quiet = run(checked(t1.forms.upsert(client, names("grace").assign(Age=1))))
    assert "Effects" not in quiet.page()
    hand = run(
        checked(t1.forms.upsert(client, people), **{"Let the campaigns react: a request for each customer": True})
    )
    assert len(hand.form.run.effects) == 1
    assert "Effects: 1." in hand.page()


# --- all of them --------------------------------------------------------------------------------------------

CLIENT = t1.Client("https://shop.talon.one", "0123456789abcdef")
SHARED = {"allow_suspect_ids": True, "connections": 3, "encoding": "latin-1", "delimiter": ";", "sheet": "one"}
WAYS = {"tz": "Europe/Berlin", "decimal": ","}
CHOICES: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "reserve_coupons": (t1.forms.coupons, SHARED | {"coupon": "Code", "id": "who"}),
    "release_coupons": (t1.forms.coupons, SHARED | {"coupon": "Code", "id": "who"}),
    "fetch_reservations": (t1.forms.coupons, SHARED | {"coupon": "Code"}),
    "fetch_inventories": (
        t1.forms.inventories,
        SHARED | {"id": "who", "include": ["profile", "loyalty"], "to": "stock", "overwrite": True},
    ),
    "sync_audience": (
        t1.forms.audiences,
        SHARED
        | {"audience": "VIP = best", "on": "who", "mode": "remove", "max_removed": 7}
        | {"known": "known.csv", "plan_file": "plan.csv"},
    ),
    "update_sessions": (
        t1.forms.sessions,
        SHARED
        | WAYS
        | {"dry": True, "id": "Code", "profile": "who", "now": "2030-01-01T00:00:00Z", "same_items": "keep"}
        | {"constants": {"state": "closed"}, "item_constants": {"quantity": 2, "attributes.Zip": "01234"}}
        | {"columns": {"who": "state"}, "item_columns": {"amount": "price"}, "types": {"Age": "number"}}
        | {"item_sheet": "two", "truncate_times": True, "ids_from_floats": True},
    ),
    "erase_customers": (t1.forms.erasure, SHARED | {"id": "who", "evidence": "e.jsonl", "operator": "ada"}),
}


@pytest.fixture
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Any, dict[str, Any]]:
    """A form with every field filled in, by choices as they are saved."""
    make, arguments = CHOICES[request.param]
    form = make(CLIENT, pd.DataFrame({"Code": ["a"], "who": ["b"]}))
    job = next(job for job in form._jobs if job.function == request.param)
    form._turn_to(job)
    (tmp_path / "choices.json").write_text(json.dumps({"function": request.param, "arguments": arguments}))
    Hand(form).press("Load choices")
    return job, arguments


@pytest.mark.parametrize("filled", CHOICES, indirect=True)
def test_choices_fill_every_field_and_both_codes_say_them(filled: tuple[Any, dict[str, Any]]) -> None:
    job, arguments = filled
    assert job.arguments() == arguments
    assert set(arguments) | {"items"} >= set(job.labels)
    request = Request(job, CLIENT, chosen_file("people.csv"), arguments)
    python, _, shell = request.code().partition("\n\n# the same in a shell\n")
    given = of_shell(shell, getattr(t1, job.function)) | {"sessions": None}
    del given["sessions"]  # the file itself is an argument of this name
    assert {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()} == arguments
    called = _called(python, job.function)
    ahead = [arguments[name] for name in job.ahead]
    assert called == ("client", *ahead, "people.csv", {k: v for k, v in arguments.items() if k not in job.ahead})


def _called(code: str, function: str) -> tuple[Any, ...]:
    calls: list[tuple[Any, ...]] = []

    class Stand:
        class Client:
            @staticmethod
            def from_env() -> str:
                return "client"

    setattr(Stand, function, staticmethod(lambda *given, **named: calls.append((*given, named))))
    exec(code.replace("import t1data as t1", ""), {"t1": Stand})
    return calls[0]


@pytest.mark.parametrize("make", ["coupons", "inventories", "audiences", "sessions", "erasure"])
def test_a_new_form_is_empty_says_so_and_asks_for_rows(make: str) -> None:
    hand = Hand(getattr(t1.forms, make)(CLIENT))
    assert (hand.form.state, hand.form.run, hand.said()) == ("empty", None, "Choose rows to begin.")
    assert not hand.works("Check")
    assert not hand.works("Run")


@pytest.mark.parametrize("make", ["coupons", "inventories", "audiences", "sessions", "erasure"])
def test_no_key_and_no_hostile_cell_gets_onto_the_page(client: t1.Client, sandbox: Sandbox, make: str) -> None:
    frame = pd.DataFrame({"integration_id": [f" {HOSTILE}"], "coupon": [HOSTILE], "session_id": [HOSTILE]})
    hand = Hand(getattr(t1.forms, make)(client, frame))
    if make == "audiences":
        hand.fill("Audience", HOSTILE)
    hand.press("Check")
    hand.wait()
    assert "This should not have happened" not in hand.said()
    assert HOSTILE not in hand.html()
    everything = saved() + repr(hand.form) + repr(vars(hand.form))
    assert sandbox.api_key not in everything
    assert sandbox.management_key not in everything


@pytest.mark.parametrize("make", ["coupons", "inventories", "audiences", "sessions", "erasure"])
@pytest.mark.parametrize("content", [b"", b"%PDF-1.7 not a table", b"other\n1\n"])
def test_a_file_that_is_none_of_theirs_is_told(client: t1.Client, tmp_path: Path, make: str, content: bytes) -> None:
    (tmp_path / "bad.csv").write_bytes(content)
    hand = Hand(getattr(t1.forms, make)(client))
    hand.fill("File on this server", "bad.csv")
    if make == "audiences":
        hand.fill("Audience", "VIP")
    hand.press("Check")
    hand.wait()
    assert hand.said().startswith("Error: ")
    assert "This should not have happened" not in hand.said()
    assert not hand.works("Run")


def test_a_run_of_inventories_is_cancelled_at_once(client: t1.Client, sandbox: Sandbox) -> None:
    slow = sandbox.faults.add(Delay(0.2), on=INVENTORY)
    hand = checked(t1.forms.inventories(client, names(*(f"c{n}" for n in range(200)))), Requests_at_once="2")
    hand.press("Run")
    until_seen(slow)
    hand.press("Cancel")
    pressed = pd.Timestamp.now("UTC")
    hand.wait()
    assert hand.form.state == "cancelled"
    ended = t1.list_runs().loc[hand.form.run.run.id, "finished_at"]  # the picture of the outcome comes after it
    assert ended - pressed < pd.Timedelta(seconds=1)
    assert hand.form.run.run.counts["unsent"] > 100
