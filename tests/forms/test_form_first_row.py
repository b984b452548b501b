"""One row first, in every form that sends: what it brings is shown, and Run goes on with the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from front import Hand
from shell import wait_until

import t1data as t1
from t1data.sandbox import Delay, Sandbox, Status

IDS = [f"c{number}" for number in range(5)]
PEOPLE = pd.DataFrame({"integration_id": IDS, "Age": range(5)})
PAIRS = pd.DataFrame({"coupon": ["25%OFF"] * 5, "integration_id": IDS})
CARTS = pd.DataFrame({"session_id": [f"s{number}" for number in range(5)], "integration_id": IDS})
ITEMS = CARTS[["session_id"]].assign(sku="cd", quantity=1, price=10.0)

# What is done → the form, its fields, the words to type, the operation, and how to read from one body whom it is about.
WAYS: dict[str, tuple[Callable[..., Any], dict[str, str], str, str]] = {
    "upsert": (lambda c: t1.forms.upsert(c, PEOPLE), {}, "", "update_customer_profiles_v2"),
    "referrals": (
        lambda c: t1.forms.referrals(c, PEOPLE[["integration_id"]]),
        {"Campaign": "45"},
        "create 5",
        "create_referrals_for_multiple_advocates",
    ),
    "reserve": (lambda c: t1.forms.coupons(c, PAIRS), {}, "", "create_coupon_reservation"),
    "release": (
        lambda c: t1.forms.coupons(c, PAIRS),
        {"What to do": "release coupons of customers"},
        "release 5",
        "delete_coupon_reservation",
    ),
    "replay": (lambda c: t1.forms.sessions(c, CARTS, ITEMS), {}, "", "update_customer_session_v2"),
    "sessions": (
        lambda c: t1.forms.sessions(c, CARTS, ITEMS),
        {"What to do": "update the sessions"},
        "update 5",
        "update_customer_session_v2",
    ),
    "inventories": (
        lambda c: t1.forms.inventories(c, PEOPLE[["integration_id"]]),
        {"Folder for the tables": "stock"},
        "",
        "get_customer_inventory",
    ),
    "audience": (
        lambda c: t1.forms.audiences(c, PEOPLE[["integration_id"]]),
        {"Audience": "VIP"},
        "take out 2",
        "update_customer_profile_audiences",
    ),
}


@pytest.fixture
def client(sandbox: Sandbox) -> Any:
    summer = {"id": 46, "name": "Summer", "features": ["coupons"], "coupons": [{"value": "25%OFF"}]}
    vip = {"id": 748, "name": "VIP", "members": ["m1", "m2"]}
    sandbox.load({"campaigns": [summer], "audiences": [vip]})
    key = sandbox.management_key
    with t1.Client(sandbox.base_url, sandbox.api_key, management_key=key, rate=None) as connected:
        t1.upsert_profiles(connected, PEOPLE, progress=False)
        yield connected


def ready(client: t1.Client, way: str) -> Hand:
    make, fields, words, _ = WAYS[way]
    hand = Hand(make(client))
    for label, value in fields.items():
        hand.fill(label, value)
    hand.press("Check")
    hand.wait()
    if words:
        assert not hand.works("Send one row")
        hand.fill(f"Type: {words}", words)
    return hand


def rows_in(sandbox: Sandbox, operation: str) -> int:
    """How many rows the requests of an operation were about."""
    total = 0
    for seen in sandbox.requests.of(operation):
        body = json.loads(seen.body) if seen.body else {}
        lists = [each for each in body.values() if isinstance(each, list) and operation != "update_customer_session_v2"]
        total += len(lists[0]) if lists and "responseContent" not in body else 1
    return total


@pytest.mark.parametrize("way", WAYS)
def test_one_row_is_sent_and_run_sends_each_of_the_others_once(client: t1.Client, sandbox: Sandbox, way: str) -> None:
    sandbox.requests.clear()
    operation = WAYS[way][3]
    hand = ready(client, way)
    hand.press("Send one row")
    hand.wait()
    assert hand.said() == "One row was sent and accepted. Run sends the others."
    assert rows_in(sandbox, operation) == 1
    run = getattr(hand.form.run, "run", hand.form.run)
    assert run.counts["accepted"] == 1
    total = run.rows
    hand.press("Run")
    hand.wait()
    run = getattr(hand.form.run, "run", hand.form.run)
    assert run.complete
    assert rows_in(sandbox, operation) == total
    assert hand.form.state == "finished"
    assert hand.said() == f"Finished: {run.rows} rows accepted, 0 failed."


def test_customers_are_erased_by_their_number_alone(client: t1.Client) -> None:
    hand = Hand(t1.forms.erasure(client, IDS))
    assert "Send one row" not in [getattr(each, "description", None) for each in hand.widgets()]


def test_what_one_row_brought_is_shown_before_the_others_are_sent(client: t1.Client, sandbox: Sandbox) -> None:
    hand = ready(client, "referrals")
    hand.press("Send one row")
    hand.wait()
    (code,) = hand.form.run.codes["code"]
    assert code in hand.page()
    assert "unsent 4" in " ".join(hand.page().split())
    hand.press("Run")
    hand.wait()
    assert code in set(hand.form.run.codes["code"])
    assert len(hand.form.run.codes) == 5


def test_a_change_after_one_row_begins_anew(client: t1.Client, sandbox: Sandbox) -> None:
    hand = ready(client, "upsert")
    hand.form._pressed = -100.0
    hand.press("Send one row")
    hand.wait()
    first = hand.form.run.id
    hand.fill("Attribute of Age", "Age2")
    assert (hand.form.state, hand.works("Run")) == ("changed", False)
    hand.fill("Attribute of Age", "Age")
    hand.press("Check")
    hand.wait()
    assert "Its first row was sent to see what becomes of it. Resume sends the others." in hand.page()
    hand.press("Run")
    hand.wait()
    assert hand.form.run.id != first
    assert hand.form.run.counts["accepted"] == 5


def test_one_row_of_one_is_the_whole_run(client: t1.Client) -> None:
    hand = Hand(t1.forms.upsert(client, PEOPLE.head(1)))
    hand.press("Check")
    hand.wait()
    hand.press("Send one row")
    hand.wait()
    assert hand.said() == "Finished: 1 row accepted, 0 failed."


def test_one_row_can_be_cancelled_while_it_waits(client: t1.Client, sandbox: Sandbox) -> None:
    busy = sandbox.faults.add(Status(429, retry_after=60), on="update_customer_profiles_v2")
    hand = ready(client, "upsert")
    hand.press("Send one row")
    wait_until(lambda: busy.seen)
    hand.press("Cancel")
    hand.wait()
    assert hand.form.state == "cancelled"
    assert hand.works("Resume")


def test_a_key_that_is_refused_for_the_one_row_stops_the_run(client: t1.Client, sandbox: Sandbox) -> None:
    sandbox.faults.add(Status(401), on="update_customer_profiles_v2", first=1)
    hand = ready(client, "upsert")
    hand.press("Send one row")
    hand.wait()
    assert hand.form.state == "stopped"
    assert hand.said().startswith("Stopped (")
    hand.press("Resume")
    hand.wait()
    assert hand.said() == "Finished: 5 rows accepted, 0 failed."


def test_the_second_of_two_clicks_sends_no_second_row(client: t1.Client, sandbox: Sandbox) -> None:
    sandbox.requests.clear()
    sandbox.faults.add(Delay(0.1), on="update_customer_profiles_v2")
    hand = ready(client, "upsert")
    hand.press("Send one row")
    hand.press("Send one row")
    hand.wait()
    hand.press("Send one row")
    hand.wait()
    assert rows_in(sandbox, "update_customer_profiles_v2") == 1


def test_rows_of_a_file_that_has_changed_since_the_first_was_sent_are_not_sent(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    PEOPLE.to_csv(tmp_path / "p.csv", index=False)
    hand = Hand(t1.forms.upsert(client, "p.csv"))
    hand.press("Check")
    hand.wait()
    hand.press("Send one row")
    hand.wait()
    sandbox.requests.clear()
    (tmp_path / "p.csv").write_text("integration_id,Age\nz,1\n")
    hand.press("Run")
    hand.wait()
    assert hand.said().startswith("Error: ")
    assert "the input's content changed" in hand.said()
    assert not sandbox.requests.of("update_customer_profiles_v2")
