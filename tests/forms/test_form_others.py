"""The forms that connect, create referral codes and list runs, from the Python side."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from front import Front, Hand, people, saved

import t1data as t1
from t1data.sandbox import Delay, Sandbox, Status

REFERRALS = "create_referrals_for_multiple_advocates"
UPSERT = "update_customer_profiles_v2"

# --- connect ------------------------------------------------------------------------------------------------


def connecting(base_url: str, key: str, management: str = "") -> Hand:
    hand = Hand(t1.forms.connect(base_url=base_url))
    hand.fill("API key", key)
    if management:
        hand.fill("Management key", management)
    hand.press("Test connection")
    hand.wait()
    return hand


def sandbox_attributes(sandbox: Sandbox) -> list[object]:
    with t1.Management(sandbox.base_url, sandbox.management_key) as management:
        return management.list_attributes(entity="CustomerProfile")


def test_a_connection_is_tried_and_told(sandbox: Sandbox) -> None:
    hand = connecting(sandbox.base_url, sandbox.api_key, sandbox.management_key)
    assert hand.form.state == "connected"
    assert hand.said().startswith(f"Connected to {sandbox.base_url}, key …{sandbox.api_key[-4:]}, ")
    assert f"{len(sandbox_attributes(sandbox))} attributes of customers" in hand.said()
    assert hand.form.client.base_url == sandbox.base_url


def test_a_key_leaves_its_field_at_once(sandbox: Sandbox) -> None:
    hand = Hand(t1.forms.connect())
    hand.fill("API key", sandbox.api_key)
    assert hand.field("API key").value == ""
    assert hand.field("API key").placeholder == f"kept in this kernel (…{sandbox.api_key[-4:]})"
    assert sandbox.api_key not in saved()


def test_a_key_that_arrives_after_the_click_is_tried_too(sandbox: Sandbox) -> None:
    hand = Hand(t1.forms.connect(base_url=sandbox.base_url))
    hand.fill("API key", "wrong-key-0123456789")
    hand.press("Test connection")
    hand.fill("API key", sandbox.api_key)
    hand.wait()
    assert hand.form.state == "connected"


def test_a_change_of_the_address_ends_the_connection(sandbox: Sandbox) -> None:
    hand = connecting(sandbox.base_url, sandbox.api_key)
    hand.form._pressed = -100.0
    hand.fill("Base URL", "http://127.0.0.1:9")
    assert hand.form.state == "not connected"
    with pytest.raises(t1.errors.ConfigError, match="Not connected yet"):
        _ = hand.form.client


@pytest.mark.parametrize(
    ("base_url", "key", "words"),
    [
        ("", "0123456789abcdef", "The base URL is missing"),
        ("https://shop.talon.one", "", "The API key is missing"),
        ("https://shop.talon.one", "with a space", "The API key holds a space"),
        ("http://shop.talon.one", "0123456789abcdef", "http"),
        ("https://shop.talon.one/v1/x", "0123456789abcdef", "base URL"),
        ("http://127.0.0.1:{closed}", "0123456789abcdef", "Nobody answers at 127.0.0.1, port {closed}"),
        ("https://no-such-host.invalid", "0123456789abcdef", "no-such-host.invalid"),
        ("{sandbox}", "wrong-key-0123456789", "the API key was not accepted by this server (401)"),
    ],
)
def test_what_keeps_from_connecting_is_told(sandbox: Sandbox, base_url: str, key: str, words: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = probe.getsockname()[1]
    hand = connecting(base_url.format(sandbox=sandbox.base_url, closed=closed), key)
    assert hand.said().startswith("Not connected: ")
    assert words.format(closed=closed) in hand.said()
    assert "This should not have happened" not in hand.said()
    assert hand.works("Test connection")


def test_a_host_that_takes_the_call_and_says_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from t1data.forms import connect as module
    from t1data.transport.retry import Limits

    monkeypatch.setattr(sys.modules["t1data.forms.connect"], "_IMPATIENT", Limits(attempts=1, deadline=0.3))
    assert module is not None
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hand = connecting(f"http://127.0.0.1:{silent.getsockname()[1]}", "0123456789abcdef")
    assert hand.said().startswith("Not connected: ")
    assert "answer" in hand.said()


def test_the_variables_of_the_server_are_offered_and_the_key_stays_where_it_is(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("T1DATA_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("T1DATA_API_KEY", sandbox.api_key)
    hand = Hand(t1.forms.connect())
    hand.press("Test connection")
    hand.wait()
    assert hand.form.state == "connected"
    assert sandbox.api_key not in saved()


def test_a_live_environment_wants_its_name_before_anything_is_sent(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.toml").write_text(
        f'[environments.shop]\nbase_url = "{sandbox.base_url}"\nkey = "env:SHOP_KEY"\nlive = true\n'
    )
    monkeypatch.setenv("SHOP_KEY", sandbox.api_key)
    connection = Hand(t1.forms.connect())
    connection.fill("Connect with", "environment shop")
    connection.press("Test connection")
    connection.wait()
    assert "live environment shop" in connection.said()
    hand = Hand(t1.forms.upsert(connection.form, pd.DataFrame({"integration_id": ["a"], "Age": [1]})))
    hand.press("Check")
    hand.wait()
    assert (hand.form.state, hand.works("Run")) == ("unconfirmed", False)
    hand.fill("Type: shop", "shop")
    hand.press("Run")
    hand.wait()
    assert hand.form.run.counts["accepted"] == 1
    assert "client.unlock('shop')" in hand.form.code()


def test_a_run_to_a_live_environment_goes_on_once_its_name_is_typed(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_behind(client, sandbox, tmp_path / "p.csv")
    (tmp_path / "config.toml").write_text(
        f'[environments.shop]\nbase_url = "{sandbox.base_url}"\nkey = "env:SHOP_KEY"\nlive = true\n'
    )
    monkeypatch.setenv("SHOP_KEY", sandbox.api_key)
    connection = Hand(t1.forms.connect())
    connection.fill("Connect with", "environment shop")
    connection.press("Test connection")
    connection.wait()
    hand = Hand(t1.forms.upsert(connection.form))
    hand.wait()
    hand.press("Resume this run")
    hand.wait()
    assert "live environment 'shop'" in hand.said()
    connection.fill("Type its name", "shop")
    hand.press("Resume this run" if hand.works("Resume this run") else "Resume")
    hand.wait()
    assert hand.said() == "Finished: 3,000 rows accepted, 0 failed."


# --- referrals ----------------------------------------------------------------------------------------------


def asked(client: t1.Client, advocates: object) -> Hand:
    hand = Hand(t1.forms.referrals(client, advocates))
    hand.fill("Campaign", "45")
    hand.press("Check")
    hand.wait()
    return hand


def test_codes_are_created_once_their_number_is_typed(client: t1.Client, sandbox: Sandbox, front: Front) -> None:
    hand = asked(client, ["ada", "grace", " x"])
    assert hand.said().startswith("Checked: 2 codes would be created, 1 row cannot be sent.")
    hand.press("Run")
    assert not sandbox.requests.of(REFERRALS)
    hand.fill("Type: create 2", "create 3")
    assert not hand.works("Run")
    hand.fill("Type: create 2", "create 2")
    hand.press("Run")
    hand.wait()
    assert hand.said() == "Finished: 2 rows accepted, 1 failed."
    codes = hand.form.run.codes["code"].tolist()
    assert len(codes) == 2
    assert codes[0] in hand.page()
    hand.press("Download codes")
    assert codes[1] in front.downloads[f"codes-{hand.form.run.id}.csv"].decode()


def test_the_typed_number_counts_for_one_check_only(client: t1.Client, sandbox: Sandbox) -> None:
    hand = asked(client, ["ada"])
    hand.fill("Type: create 1", "create 1")
    hand.press("Check")
    hand.wait()
    assert hand.form.state == "unconfirmed"


def test_pasted_ids_leave_their_field_at_once(client: t1.Client, sandbox: Sandbox) -> None:
    hand = Hand(t1.forms.referrals(client, show_rows=False))
    hand.fill("Rows from", "Ids that I paste")
    hand.fill("Ids, one a line", "ada\ngrace\n")
    assert hand.field("Ids, one a line").value == ""
    assert "Chosen: 2 pasted ids" in hand.page()
    assert "grace" not in saved()
    hand.fill("Campaign", "45")
    hand.press("Check")
    hand.wait()
    assert hand.said().startswith("Checked: 2 codes")


@pytest.mark.parametrize(
    ("label", "typed", "words"),
    [
        ("Campaign", "", "Campaign is missing"),
        ("Campaign", "many", "'many' is no whole number"),
        ("Uses of each code", "1000000", "is no whole number from 0 to 999,999"),
        ("Uses of each code", "9" * 5000, "is no whole number"),
        ("Valid until", "tomorrow", "'Valid until': 'tomorrow' is no time"),
        ("Valid until", "2020-01-01T00:00:00Z", "is past already"),
        ("Pattern", "A#", "'Pattern'"),
        ("Attributes", "no sign", "is not of the form name = value"),
    ],
)
def test_a_term_that_cannot_be_meant_is_told(client: t1.Client, label: str, typed: str, words: str) -> None:
    hand = Hand(t1.forms.referrals(client, ["ada"]))
    hand.fill("Campaign", "45")
    hand.fill(label, typed)
    hand.press("Check")
    hand.wait()
    assert hand.said().startswith("Error: ")
    assert words in hand.said()


# --- runs, and those left behind ----------------------------------------------------------------------------


def left_behind(client: t1.Client, sandbox: Sandbox, path: Path) -> str:
    """Stop a run of 3 requests after its first."""
    sandbox.faults.add(Status(401), on=UPSERT, nth=2)
    run = t1.upsert_profiles(client, people(path, rows=3000), progress=False, connections=1)
    sandbox.faults.clear()
    assert run.counts["unsent"] == 2000
    return run.id


def test_a_run_that_was_left_behind_is_offered_shown_and_resumed(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    left_behind(client, sandbox, tmp_path / "p.csv")
    hand = Hand(t1.forms.upsert(client))
    hand.wait()
    assert "Left behind" in hand.page()
    assert "It was cut off or stopped." in hand.page()
    hand.press("Show")
    assert "unsent 2,000" in " ".join(hand.page().split())
    hand.press("Resume this run")
    hand.wait()
    assert hand.said() == "Finished: 3,000 rows accepted, 0 failed."


def test_rows_that_were_in_memory_are_asked_for_when_their_run_goes_on(client: t1.Client, sandbox: Sandbox) -> None:
    frame = pd.DataFrame({"integration_id": [f"c{n}" for n in range(3000)], "Age": 1})
    sandbox.faults.add(Status(401), on=UPSERT, nth=2)
    t1.upsert_profiles(client, frame, progress=False, connections=1)
    sandbox.faults.clear()
    hand = Hand(t1.forms.upsert(client))
    hand.wait()
    hand.press("Resume this run")
    hand.wait()
    assert "choose the same rows under 1. Rows" in hand.said()
    other = Hand(t1.forms.upsert(client, frame))
    other.wait()
    other.press("Resume this run")
    other.wait()
    assert other.said() == "Finished: 3,000 rows accepted, 0 failed."


HOLD = """
import pathlib, sys
from t1data.journal.place import take_hold
take_hold(pathlib.Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(client: t1.Client, sandbox: Sandbox, tmp_path: Path) -> Iterator[str]:
    """A run that another process works on."""
    id_ = left_behind(client, sandbox, tmp_path / "p.csv")
    journal = Path(os.environ["T1DATA_RUNS"]) / f"{id_}.sqlite"
    words = [sys.executable, "-c", HOLD, str(journal)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield id_
        process.communicate("")


def test_a_run_of_another_process_is_not_resumed_a_second_time(client: t1.Client, holder: str) -> None:
    hand = Hand(t1.forms.upsert(client))
    hand.wait()
    assert "It is still going, in another process. Cancel stops it there, and it can be resumed." in hand.page()
    assert not hand.works("Resume this run")


def test_a_run_whose_form_is_gone_is_cancelled_from_a_new_one(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    slow = sandbox.faults.add(Delay(0.2), on=UPSERT)
    first = Hand(t1.forms.upsert(client, people(tmp_path / "p.csv", rows=9000)))
    first.fill("Requests at once", "1")
    first.press("Check")
    first.wait()
    first.press("Run")
    ends = time.monotonic() + 10
    while not slow.seen:
        assert time.monotonic() < ends
        threading.Event().wait(0.005)
    second = Hand(t1.forms.upsert(client))
    second.wait()
    assert "It is still going, in this notebook." in second.page()
    second.press("Cancel this run")
    second.wait()
    first.wait()
    assert first.form.run.counts["unsent"] > 0
    assert first.form.state == "stopped"
    assert second.said().startswith(f"Asked process {os.getpid()} on ")
    assert "it stopped after " in second.said()
    assert second.works("Resume this run")
    assert not second.works("Cancel this run")


def test_runs_are_listed_shown_and_resumed(client: t1.Client, sandbox: Sandbox, tmp_path: Path) -> None:
    id_ = left_behind(client, sandbox, tmp_path / "p.csv")
    hand = Hand(t1.forms.runs(client))
    assert id_ in hand.page()
    hand.press("Show")
    assert "2,000 rows not sent" in hand.said()
    hand.press("Resume")
    hand.wait()
    assert hand.said() == "Finished: 3,000 rows accepted, 0 failed."
    assert hand.form.run.complete


def test_codes_in_doubt_are_looked_for_on_the_server(client: t1.Client, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.faults.add(Status(502, when="after"), on=REFERRALS, first=1)
    (tmp_path / "advocates.csv").write_text("integration_id\nada\ngrace\n")
    t1.upsert_profiles(client, "advocates.csv", progress=False)
    run = t1.create_referrals(client, "advocates.csv", campaign_id=45, progress=False)
    assert run.counts["in_doubt"] == 2
    hand = Hand(t1.forms.runs(client))
    hand.fill("Run", run.id)
    hand.press("Show")
    assert "2 rows sent without an answer, so in doubt" in hand.said()
    hand.press("Look on the server")
    hand.wait()
    assert hand.said() == "Finished: 2 rows accepted, 0 failed."


def test_a_form_of_runs_without_a_client_shows_and_says_why_it_does_not_send(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    left_behind(client, sandbox, tmp_path / "p.csv")
    hand = Hand(t1.forms.runs())
    hand.press("Resume")
    assert hand.said() == "Error: This form has no client: make it with one, t1.forms.runs(client)"


def test_no_runs_are_told() -> None:
    hand = Hand(t1.forms.runs())
    assert "No runs yet." in hand.page()
    assert not hand.works("Show")
