"""The form for customers, from the Python side: what a person does, what the page says, what the server gets."""

from __future__ import annotations

import csv
import io
import json
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from front import Front, Hand, people, saved, upload

import t1data as t1
from t1data.sandbox import Delay, Fault, Sandbox, Status

UPSERT = "update_customer_profiles_v2"


def opened(client: Any, data: Any = None, **options: Any) -> Hand:
    hand = Hand(t1.forms.upsert(client, data, **options))
    hand.wait()
    return hand


def checked(client: Any, data: Any = None, **options: Any) -> Hand:
    hand = opened(client, data, **options)
    hand.press("Check")
    hand.wait()
    return hand


def sent(sandbox: Sandbox) -> Counter[str]:
    bodies = [json.loads(seen.body) for seen in sandbox.requests.of(UPSERT) if seen.body]
    return Counter(profile["integrationId"] for body in bodies for profile in body["customerProfiles"])


# --- from rows to a run -------------------------------------------------------------------------------------


def test_rows_are_chosen_checked_sent_and_shown(client: t1.Client, sandbox: Sandbox, tmp_path: Path) -> None:
    people(tmp_path / "people.csv", rows=1500, bad=100)
    hand = opened(client)
    assert hand.form.state == "empty"
    hand.fill("File on this server", "people.csv")
    assert hand.form.state == "changed"
    hand.fill("Type of Age", "number")
    hand.press("Check")
    hand.wait()
    assert hand.said() == (
        "Checked: 1,485 rows would be sent in 2 requests, 15 cannot be sent. Nothing was sent so far."
    )
    assert "not a number 15" in " ".join(hand.page().split())
    assert not sandbox.requests.of(UPSERT)
    hand.press("Run")
    hand.wait()
    assert hand.said() == "Finished: 1,485 rows accepted, 15 failed."
    assert hand.form.run.counts["accepted"] == 1485
    assert sum(sent(sandbox).values()) == 1485
    assert "accepted 1,485" in " ".join(hand.page().split())


def test_a_frame_is_taken_as_it_is(client: t1.Client, sandbox: Sandbox) -> None:
    frame = pd.DataFrame({"integration_id": ["a", "b"], "Age": [41, 17]}, index=[7, 9])
    before = frame.copy()
    hand = checked(client, frame)
    hand.press("Run")
    hand.wait()
    assert hand.form.run.outcomes.index.tolist() == [7, 9]
    pd.testing.assert_frame_equal(frame, before)


def test_the_columns_say_where_cells_go_what_they_are_and_what_an_empty_one_means(
    client: t1.Client, sandbox: Sandbox
) -> None:
    frame = pd.DataFrame({"customer": ["a"], "mail": ["x@y"], "Age": ["41"], "Note": [None], "other": ["no"]})
    hand = opened(client, frame)
    hand.fill("Use of customer", "customer id")
    hand.fill("Attribute of mail", "Email")
    hand.fill("Type of Age", "number")
    hand.fill("Empty cells of Note", "clear")
    hand.fill("Use of other", "leave out")
    hand.press("Check")
    hand.wait()
    assert "1 cell would be cleared" in hand.page()
    hand.press("Run")
    hand.wait()
    (request,) = sandbox.requests.of(UPSERT)
    assert json.loads(request.body)["customerProfiles"] == [
        {"integrationId": "a", "attributes": {"Email": "x@y", "Age": 41, "Note": None}}
    ]


def test_one_row_is_sent_with_the_types_that_its_column_has_in_all_rows(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "p.csv").write_text("integration_id,Email\n,first@x\na,12\nb,text\n")
    hand = checked(client, "p.csv")
    hand.press("Send one row")
    hand.wait()
    assert hand.said() == "One row was sent and accepted. Run sends the others."
    (request,) = sandbox.requests.of(UPSERT)
    assert json.loads(request.body)["customerProfiles"] == [{"integrationId": "a", "attributes": {"Email": "12"}}]
    assert hand.form.state == "tried"
    hand.press("Run")
    hand.wait()
    assert hand.said() == "Finished: 2 rows accepted, 1 failed."
    assert sent(sandbox) == {"a": 1, "b": 1}


def test_one_row_that_is_refused_says_why(client: t1.Client, sandbox: Sandbox) -> None:
    hand = checked(client, pd.DataFrame({"integration_id": ["a", "b"], "Unknown": [1, 2]}))
    hand.press("Send one row")
    hand.wait()
    assert hand.said().startswith("Error: One row was sent: 1 refused.")
    assert "Unknown" in hand.said()
    assert len(sandbox.requests.of(UPSERT)) == 1


def test_all_rows_that_cannot_be_sent_are_brought_and_no_cell_of_them_is_a_formula(
    client: t1.Client, sandbox: Sandbox, front: Front
) -> None:
    ids = [" =1+1", *(f" {number}" for number in range(9)), "good"]
    hand = checked(client, pd.DataFrame({"integration_id": ids, "Age": 1}))
    assert "and 5 more" in hand.page()
    hand.press("Download problems")
    rows = list(csv.DictReader(io.StringIO(front.downloads["problems.csv"].decode("utf-8-sig"))))
    assert len(rows) == 10
    assert {row["code"] for row in rows} == {"id_whitespace"}
    assert not [cell for row in rows for cell in row.values() if cell.lstrip().startswith("=")]


# --- a change in time, and clicks that come too often or too early ----------------------------------------


def test_a_change_after_the_check_takes_the_run_away(client: t1.Client, sandbox: Sandbox, tmp_path: Path) -> None:
    hand = checked(client, people(tmp_path / "p.csv", rows=3))
    hand.form._pressed = -100.0
    assert hand.works("Run")
    hand.fill("Use of Email", "leave out")
    assert (hand.form.state, hand.works("Run")) == ("changed", False)
    assert hand.said() == "Changed: check again."
    hand.press("Run")
    hand.wait()
    assert not sandbox.requests.of(UPSERT)


def test_what_is_typed_before_a_click_and_arrives_after_it_is_checked_too(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    hand = opened(client, people(tmp_path / "p.csv", rows=3))
    hand.press("Check")
    hand.fill("Attribute of Email", "Note")
    hand.wait()
    assert hand.form.state == "checked"
    assert "Email → Note" in hand.page()
    assert "attributes={'Email': 'Note', 'Age': 'Age'}" in hand.form.code()


def test_the_second_of_two_clicks_does_nothing(client: t1.Client, sandbox: Sandbox, tmp_path: Path) -> None:
    hand = checked(client, people(tmp_path / "p.csv", rows=3))
    hand.press("Run")
    hand.press("Run")
    hand.wait()
    hand.press("Run")
    hand.wait()
    assert sent(sandbox) == {"C000000": 1, "C000001": 1, "C000002": 1}


def test_fields_are_locked_while_a_run_goes_on(client: t1.Client, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.faults.add(Delay(0.3), on=UPSERT)
    hand = checked(client, people(tmp_path / "p.csv", rows=3))
    hand.press("Run")
    assert hand.field("Use of Email").disabled
    assert hand.field("Rows from").disabled
    hand.wait()
    assert not hand.field("Use of Email").disabled


# --- pause, cancel, resume ----------------------------------------------------------------------------------


def until_seen(fault: Fault, times: int = 1) -> None:
    ends, pause = time.monotonic() + 10, threading.Event()
    while fault.seen < times:
        assert time.monotonic() < ends
        pause.wait(0.005)


def test_a_cancel_ends_a_long_wait_at_once_and_the_rest_can_be_resumed(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    busy = sandbox.faults.add(Status(429, retry_after=60), on=UPSERT)
    hand = checked(client, people(tmp_path / "p.csv", rows=2500))
    hand.press("Run")
    until_seen(busy, 1)
    hand.press("Cancel")
    pressed = pd.Timestamp.now("UTC")
    hand.wait()
    ended = t1.list_runs().loc[hand.form.run.id, "finished_at"]  # the picture of the outcome comes after it
    assert ended - pressed < pd.Timedelta(seconds=1)
    assert hand.form.state == "cancelled"
    assert hand.said() == (
        "Cancelled: 0 rows accepted; nothing is lost. 2,500 rows not sent, which Resume goes on with."
    )
    assert hand.works("Resume")


def test_a_run_that_was_cancelled_goes_on_with_what_is_left(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    slow = sandbox.faults.add(Delay(0.1), on=UPSERT)
    hand = opened(client, people(tmp_path / "p.csv", rows=6000))
    hand.fill("Requests at once", "1")
    hand.press("Check")
    hand.wait()
    hand.press("Run")
    until_seen(slow)
    hand.press("Cancel")
    hand.wait()
    assert hand.form.state == "cancelled"
    assert 0 < hand.form.run.counts["unsent"] < 6000
    hand.press("Resume")
    hand.wait()
    assert hand.said() == "Finished: 6,000 rows accepted, 0 failed."
    assert set(sent(sandbox).values()) == {1}


def test_a_wait_is_told_in_words(client: t1.Client, sandbox: Sandbox, tmp_path: Path, front: Front) -> None:
    sandbox.faults.add(Status(429, retry_after=1), on=UPSERT, first=1)
    hand = checked(client, people(tmp_path / "p.csv", rows=3))
    hand.press("Run")
    hand.wait()
    lines = [str(data["state"].get("value")) for _, data, _ in front.messages if data.get("method") == "update"]
    assert any("waiting (" in line and "again in" in line for line in lines)


def test_a_pause_lets_nothing_out_and_is_told(client: t1.Client, sandbox: Sandbox, tmp_path: Path) -> None:
    slow = sandbox.faults.add(Delay(0.1), on=UPSERT)
    hand = opened(client, people(tmp_path / "p.csv", rows=9000))
    hand.fill("Requests at once", "1")
    hand.press("Check")
    hand.wait()
    hand.press("Run")
    until_seen(slow)
    hand.press("Pause")
    assert hand.form.state == "paused"
    assert hand.said().startswith("Paused.")
    before = slow.seen
    assert before < 9
    hand.press("Go on")
    hand.wait()
    assert hand.form.run.counts["accepted"] == 9000


def test_a_key_that_is_refused_in_the_middle_stops_the_run_and_a_new_key_goes_on(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    connection = Hand(t1.forms.connect(base_url=sandbox.base_url))
    connection.fill("API key", sandbox.api_key)
    connection.press("Test connection")
    connection.wait()
    sandbox.faults.add(Status(401), on=UPSERT, nth=2)
    hand = opened(connection.form, people(tmp_path / "p.csv", rows=4000))
    hand.fill("Requests at once", "1")
    hand.press("Check")
    hand.wait()
    hand.press("Run")
    hand.wait()
    assert hand.form.state == "stopped"
    assert "1,000 rows accepted; nothing is lost. 3,000 rows not sent" in hand.said()
    assert "key" in hand.said()
    sandbox.faults.clear()
    connection.fill("API key", sandbox.api_key)
    connection.press("Test connection")
    connection.wait()
    hand.press("Resume")
    hand.wait()
    assert hand.said() == "Finished: 4,000 rows accepted, 0 failed."
    assert set(sent(sandbox).values()) <= {1, 2}


def test_a_server_that_dies_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    with t1.Sandbox() as sandbox:
        sandbox.load({"attributes": [{"name": "Email", "entity": "CustomerProfile", "type": "string"}]})
        client = t1.Client(sandbox.base_url, sandbox.api_key, rate=None)
        hand = checked(client, people(tmp_path / "p.csv", rows=3))
    hand.press("Run")
    hand.wait()
    assert hand.form.state == "changed"
    assert "Nobody answers at 127.0.0.1" in hand.said()
    assert hand.works("Check")


# --- after a run --------------------------------------------------------------------------------------------


def test_failed_rows_are_brought_in_the_columns_of_the_file_and_run_again_alone(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path, front: Front
) -> None:
    hand = opened(client, people(tmp_path / "p.csv", rows=200, bad=100))
    hand.fill("Type of Age", "number")
    hand.press("Check")
    hand.wait()
    hand.press("Run")
    hand.wait()
    hand.press("Download failed rows")
    ((name, content),) = front.downloads.items()
    assert name == f"failed-{hand.form.run.id}.csv"
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [row["integration_id"] for row in rows] == ["C000007", "C000107"]
    assert list(rows[0]) == ["integration_id", "Email", "Age"]
    first = hand.form.run.id
    hand.press("Run again with the failed rows only")
    hand.fill("Type of Age", "string")
    hand.fill("Attribute of Age", "Note")
    hand.press("Check")
    hand.wait()
    hand.press("Run")
    hand.wait()
    assert hand.form.run.id != first
    assert hand.form.run.counts == {"accepted": 2, "invalid": 0, "refused": 0, "unsent": 0, "in_doubt": 0}


def test_the_outcome_of_every_row_is_brought_too(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path, front: Front
) -> None:
    hand = checked(client, people(tmp_path / "p.csv", rows=3))
    hand.press("Run")
    hand.wait()
    hand.press("Download outcomes")
    (content,) = front.downloads.values()
    assert content.decode().count("accepted") == 3


def test_choices_are_saved_and_loaded(client: t1.Client, sandbox: Sandbox, tmp_path: Path) -> None:
    frame = pd.DataFrame({"customer": ["a"], "mail": ["x@y"], "Age": ["41"]})
    hand = opened(client, frame)
    hand.fill("Use of customer", "customer id")
    hand.fill("Attribute of mail", "Email")
    hand.fill("Type of Age", "number")
    hand.fill("Zone of times", "Europe/Berlin")
    hand.fill("For all rows", "Note = 12\nTier = gold")
    hand.press("Save choices")
    assert hand.said() == f"Saved to {tmp_path / 'choices.json'}."
    other = opened(client, frame)
    other.press("Load choices")
    for each in (hand, other):
        each.press("Check")
        each.wait()
    assert other.form.code() == hand.form.code()
    assert "Europe/Berlin" in other.form.code()
    strange = opened(client, pd.DataFrame({"integration_id": ["a"]}))
    strange.press("Load choices")
    assert strange.said() == "Error: The saved columns are not those of these rows: there is no 'Age'"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "choices.json cannot be read as JSON"),
        ("[]", "choices.json does not hold choices of a form"),
        ('{"function": "create_referrals", "arguments": {}}', "and this form is of upsert_profiles"),
        ('{"function": "upsert_profiles", "arguments": {"evil": 1}}', "'evil', which this form does not know"),
        ('{"function": "upsert_profiles", "arguments": {"decimal": 7}}', "holds a value that 'decimal' cannot have"),
        ('{"function": "upsert_profiles", "arguments": {"types": 7}}', "holds a value that 'id' cannot have"),
    ],
)
def test_choices_that_are_none_are_told(client: t1.Client, tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "choices.json").write_text(content)
    hand = opened(client, pd.DataFrame({"integration_id": ["a"]}))
    hand.press("Load choices")
    assert words in hand.said()


def test_another_file_is_not_replaced_by_choices(client: t1.Client, tmp_path: Path) -> None:
    (tmp_path / "choices.json").write_text('{"mine": 1}')
    hand = opened(client, pd.DataFrame({"integration_id": ["a"]}))
    hand.press("Save choices")
    assert "does not hold choices" in hand.said()
    assert (tmp_path / "choices.json").read_text() == '{"mine": 1}'


# --- uploads ------------------------------------------------------------------------------------------------


def test_an_upload_is_read_from_no_file_and_stands_in_no_saved_state(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    content = people(tmp_path / "mine.csv", rows=9000).read_bytes()
    (tmp_path / "mine.csv").unlink()
    hand = opened(client, show_rows=False)
    hand.fill("Rows from", "A file of my own machine")
    upload(hand, "../mine.csv", content, piece=50_000)
    assert "Chosen: mine.csv" in hand.page()
    hand.press("Check")
    hand.wait()
    hand.press("Run")
    hand.wait()
    assert hand.form.run.counts["accepted"] == 9000
    assert "people.example" not in saved()
    named = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not [path for path in named if b"people.example" in path.read_bytes()]
    assert "'mine.csv'" in hand.form.code()


def test_an_upload_over_the_limit_is_refused_in_words(client: t1.Client) -> None:
    hand = opened(client)
    hand.fill("Rows from", "A file of my own machine")
    hand.field("Upload a file")._handle_custom_msg({"type": "begin", "name": "big.csv", "size": 2_000_000_000}, [])
    assert hand.said() == (
        "Error: big.csv has 2,000 MB, and 1,000 MB are the most that come through the page. Put it on this server"
        " and give its path."
    )


# --- bad input: each has its line ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "has no"),
        (b"%PDF-1.7 not a table", "is a PDF document"),
        (b"\xff\xfe\x00\x01\x02binary\x00\x00", ""),
        (b"integration_id,integration_id\n1,2\n", "more than once"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(client: t1.Client, tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "bad.csv").write_bytes(content)
    hand = opened(client)
    hand.fill("File on this server", "bad.csv")
    hand.press("Check")
    hand.wait()
    assert hand.said().startswith("Error: ")
    assert words in hand.said()
    assert "This should not have happened" not in hand.said()
    assert not hand.works("Run")


def test_a_path_that_is_not_there_is_told(client: t1.Client) -> None:
    hand = opened(client)
    hand.fill("Or its path", "nowhere/people.csv")
    assert "nowhere/people.csv" in hand.said()


def test_nothing_chosen_is_told(client: t1.Client) -> None:
    hand = opened(client)
    assert not hand.works("Check")
    assert hand.said() == "Choose rows to begin."


def test_no_id_column_and_two_of_them_are_told(client: t1.Client) -> None:
    hand = opened(client, pd.DataFrame({"customer": ["a"], "Email": ["b"]}))
    hand.press("Check")
    assert hand.said().startswith("Error: No column is the customer id")
    hand.fill("Use of customer", "customer id")
    hand.fill("Use of Email", "customer id")
    hand.wait()
    assert hand.said().startswith("Error: 2 columns are the customer id")


def test_rows_that_are_all_invalid_cannot_be_run(client: t1.Client, sandbox: Sandbox) -> None:
    hand = checked(client, pd.DataFrame({"integration_id": [" a", "b "], "Age": [1, 2]}))
    assert hand.form.state == "blocked"
    assert hand.said().startswith("Checked: 0 rows would be sent")
    assert not hand.works("Run")


def test_a_form_without_a_connection_says_so() -> None:
    hand = checked(t1.forms.connect(), pd.DataFrame({"integration_id": ["a"]}))
    assert hand.said() == "Error: Not connected yet: fill in Connect, and press Test connection"


def test_messages_name_fields_and_not_keywords(client: t1.Client, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("integration_id,When\na,2026-01-01 10:00\n")
    hand = opened(client, "p.csv")
    hand.fill("Type of When", "time")
    hand.press("Check")
    hand.wait()
    assert "say which it is by 'Zone of times'" in hand.page()


def test_the_same_rows_in_two_forms_are_two_runs_that_know_of_each_other(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    slow = sandbox.faults.add(Delay(2.0), on=UPSERT)
    people(tmp_path / "p.csv", rows=3)
    first = checked(client, "p.csv")
    first.press("Run")
    until_seen(slow)
    second = checked(client, "p.csv")
    assert "still going, in this notebook" in second.page()
    assert "Another run to this account is going on" in second.said()
    first.wait()


# --- what is shown and what is kept -------------------------------------------------------------------------

HOSTILE = "<img src=x onerror=alert(1)>"


def test_everything_from_data_is_escaped(client: t1.Client, sandbox: Sandbox, tmp_path: Path) -> None:
    frame = pd.DataFrame({"integration_id": [HOSTILE, f" {HOSTILE}"], f"Email{HOSTILE}": [HOSTILE, HOSTILE]})
    hand = checked(client, frame)
    hand.press("Send one row")
    hand.wait()
    assert HOSTILE not in hand.html()
    sandbox.faults.add(Status(400, body={"message": HOSTILE, "errors": [{"title": HOSTILE}]}), on=UPSERT)
    hand.press("Run")
    hand.wait()
    assert HOSTILE not in hand.html()
    assert HOSTILE in hand.page()


def test_no_cell_of_any_row_is_shown_when_rows_are_not_to_be_shown(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    frame = pd.DataFrame({"integration_id": ["secret-id", " secret-id-2"], "Email": ["secret@x", "secret@y"]})
    hand = checked(client, frame, show_rows=False)
    hand.press("Run")
    hand.wait()
    assert hand.form.run.counts["invalid"] == 1
    assert "secret" not in saved()
    shown = checked(client, frame)
    assert "secret" in saved()
    shown.form.widget.close()


def test_a_key_stands_in_no_state_no_code_and_no_repr(sandbox: Sandbox, tmp_path: Path) -> None:
    connection = Hand(t1.forms.connect(base_url=sandbox.base_url))
    connection.fill("API key", sandbox.api_key)
    connection.fill("Management key", sandbox.management_key)
    connection.press("Test connection")
    connection.wait()
    hand = checked(connection.form, people(tmp_path / "p.csv", rows=3))
    hand.press("Run")
    hand.wait()
    everything = saved() + repr(hand.form) + repr(connection.form) + hand.form.code()
    everything += repr(hand.form._repr_mimebundle_()) + repr(vars(hand.form)) + repr(vars(connection.form))
    for key in (sandbox.api_key, sandbox.management_key):
        assert key not in everything
