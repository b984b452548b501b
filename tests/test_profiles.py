"""The main job through its public door, judged by what the sandbox received and holds."""

from __future__ import annotations

import gzip
import json
import re
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import t1data as t1
from t1data.sandbox import Options, Reset, Status

UPSERT = "update_customer_profiles_v2"
PEOPLE = pd.DataFrame(
    {"integration_id": ["001", "002", "003"], "Name": ["Ada", "Grace", None], "Spend": [1.5, 2.0, float("nan")]}
)


@pytest.fixture
def sandbox() -> Iterator[t1.Sandbox]:
    with t1.Sandbox(options=Options(unknown_attribute="declare")) as running:
        yield running


@pytest.fixture
def client(sandbox: t1.Sandbox) -> Iterator[t1.Client]:
    with t1.Client(sandbox.base_url, sandbox.api_key, rate=None) as made:
        yield made


@pytest.fixture(autouse=True)
def _runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))


def received(sandbox: t1.Sandbox) -> list[dict[str, Any]]:
    """Every profile that reached the sandbox, numbers as they were written."""
    return [
        profile
        for request in sandbox.requests.of(UPSERT)
        for profile in json.loads(request.body or b"", parse_float=str, parse_int=str)["customerProfiles"]
    ]


def attributes(sandbox: t1.Sandbox) -> dict[str, dict[str, Any]]:
    return {profile["integrationId"]: profile["attributes"] for profile in received(sandbox)}


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_frame_arrives_as_it_is_and_missing_cells_are_left_out(sandbox: t1.Sandbox, client: t1.Client) -> None:
    run = t1.upsert_profiles(client, PEOPLE)
    assert run.counts == {"accepted": 3, "invalid": 0, "refused": 0, "unsent": 0, "in_doubt": 0}
    assert attributes(sandbox) == {
        "001": {"Name": "Ada", "Spend": "1.5"},
        "002": {"Name": "Grace", "Spend": "2"},
        "003": {},
    }


def test_the_callers_frame_is_not_changed(client: t1.Client) -> None:
    before = PEOPLE.copy(deep=True)
    t1.upsert_profiles(client, PEOPLE)
    pd.testing.assert_frame_equal(PEOPLE, before)


def test_outcomes_stand_on_the_frames_own_index(client: t1.Client) -> None:
    people = PEOPLE.assign(integration_id=["a", " b", "c"]).set_axis(["x", "y", "z"])
    run = t1.upsert_profiles(client, people)
    assert run.to_frame()["index"].tolist() == ["x", "y", "z"]
    assert run.outcomes["outcome"].to_dict() == {"x": "accepted", "y": "invalid", "z": "accepted"}
    assert people.loc[run.failures.index, "integration_id"].tolist() == [" b"]
    assert run.failures.loc["y", "integration_id"] == " b"


def test_outcomes_of_a_file_stand_on_row_numbers_from_one(client: t1.Client, tmp_path: Path) -> None:
    run = t1.upsert_profiles(client, write(tmp_path / "p.csv", "integration_id,Age\n01,4\n,5\n03,6\n"))
    assert run.outcomes["outcome"].to_dict() == {1: "accepted", 2: "invalid", 3: "accepted"}
    assert run.failures.loc[2, "reason"] == "missing_id"


@pytest.mark.parametrize(
    "form", ["csv", "csv.gz", "parquet", "folder", "arrow", "reader", "polars", "duckdb", "pandas"]
)
def test_every_form_of_the_same_rows_arrives_alike(
    sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path, form: str
) -> None:
    table = pa.table(
        {"integration_id": ["007", "0008"], "Points": pa.array([7, None], pa.int64()), "Vip": [True, False]}
    )
    run = t1.upsert_profiles(client, _in_form(form, table, tmp_path))
    assert run.counts["accepted"] == 2
    assert attributes(sandbox) == {"007": {"Points": "7", "Vip": True}, "0008": {"Vip": False}}


def _in_form(form: str, table: pa.Table, folder: Path) -> Any:
    text = "integration_id,Points,Vip\n007,7,true\n0008,,false\n"
    if form == "csv":
        return str(write(folder / "people.csv", text))
    if form == "csv.gz":
        (folder / "people.csv.gz").write_bytes(gzip.compress(text.encode()))
        return folder / "people.csv.gz"
    if form == "parquet":
        pq.write_table(table, folder / "people.parquet")
        return folder / "people.parquet"
    if form == "folder":
        (folder / "parts").mkdir()
        pq.write_table(table.slice(0, 1), folder / "parts" / "a.parquet")
        pq.write_table(table.slice(1, 1), folder / "parts" / "b.parquet")
        return folder / "parts"
    makers = {
        "arrow": lambda: table,
        "reader": lambda: table.to_reader(),
        "polars": lambda: pl.from_arrow(table),
        "duckdb": lambda: duckdb.from_arrow(table),
        "pandas": lambda: table.to_pandas(types_mapper=pd.ArrowDtype),
    }
    return makers[form]()


def test_numbers_in_text_arrive_with_the_characters_of_the_file(
    sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path
) -> None:
    path = write(tmp_path / "p.csv", "integration_id,Price,Zip,Flag,Mixed\n1,1.10,01099,true,1\n2,-0.5,70173,false,x\n")
    t1.upsert_profiles(client, path)
    assert attributes(sandbox) == {
        "1": {"Price": "1.10", "Zip": "01099", "Flag": True, "Mixed": "1"},
        "2": {"Price": "-0.5", "Zip": "70173", "Flag": False, "Mixed": "x"},
    }


def test_decimals_and_big_integers_arrive_digit_for_digit(sandbox: t1.Sandbox, client: t1.Client) -> None:
    big, small = Decimal("12345678901234567890.123456789012345678"), Decimal("0.10")
    people = pd.DataFrame({"integration_id": ["a", "b"], "D": [big, small], "I": [2**63, 1]})
    t1.upsert_profiles(client, people)
    found = attributes(sandbox)
    assert Decimal(found["a"]["D"]) == big
    assert Decimal(found["b"]["D"]) == small
    assert found["a"]["I"] == str(2**63)


def test_columns_can_be_renamed_chosen_typed_defaulted_and_joined_by_constants(
    sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path
) -> None:
    path = write(tmp_path / "p.csv", "customer;plz;since;secret\n0815;01099;2024-05-01;x\n4711;;;y\n")
    run = t1.upsert_profiles(
        client,
        path,
        id="customer",
        attributes={"plz": "Zip", "since": "MemberSince"},
        types={"since": "time"},
        defaults={"plz": "00000"},
        constants={"Source": "import", "Wave": 3},
        tz="Europe/Berlin",
    )
    assert run.counts["accepted"] == 2
    constants = {"Source": "import", "Wave": "3"}
    assert attributes(sandbox) == {
        "0815": {"Zip": "01099", "MemberSince": "2024-04-30T22:00:00Z", **constants},
        "4711": {"Zip": "00000", **constants},
    }


def test_missing_cells_clear_only_when_asked_and_the_plan_counts_them(sandbox: t1.Sandbox, client: t1.Client) -> None:
    assert t1.plan_upsert(client, PEOPLE).cleared == 0
    plan = t1.plan_upsert(client, PEOPLE, missing={"Name": "clear"})
    assert plan.cleared == 1
    t1.upsert_profiles(client, PEOPLE, missing={"Name": "clear"})
    assert attributes(sandbox)["003"] == {"Name": None}


def test_a_plan_sends_nothing_and_tells_what_would_be_sent(sandbox: t1.Sandbox, client: t1.Client) -> None:
    people = pd.DataFrame({"integration_id": [f"{n:05}" for n in range(2500)], "Age": range(2500)})
    people.loc[7, "integration_id"] = ""
    with t1.Client(sandbox.base_url, sandbox.api_key, rate=10) as paced:
        plan = t1.plan_upsert(paced, people)
    assert (plan.rows, plan.ready, plan.invalid, plan.requests) == (2500, 2499, 1, 3)
    assert plan.seconds == pytest.approx(0.3)
    assert plan.reasons == {"missing_id": 1}
    assert not sandbox.requests
    assert "1 row cannot be sent: 1 missing_id" in str(plan)


def test_a_check_names_every_problem_with_row_id_column_and_code(client: t1.Client, tmp_path: Path) -> None:
    path = write(
        tmp_path / "p.csv", "integration_id,Age,Since\n1,x,2024\n2,4,2024-01-01T00:00:00Z\n3,5,gestern,zu viel\n"
    )
    problems = t1.check_profiles(path, types={"Age": "number", "Since": "time"})
    assert problems[["integration_id", "column", "code"]].reset_index().to_numpy(na_value=None).tolist() == [
        [1, "1", "Age", "not_a_number"],
        [1, "1", "Since", "bad_time"],
        [3, None, None, "ragged_row"],
    ]


def test_equal_rows_with_one_id_go_out_once_and_share_the_outcome(sandbox: t1.Sandbox, client: t1.Client) -> None:
    people = pd.DataFrame({"integration_id": ["a", "b", "a"], "Age": [1, 2, 1]})
    run = t1.upsert_profiles(client, people)
    assert run.counts["accepted"] == 3
    assert Counter(profile["integrationId"] for profile in received(sandbox)) == {"a": 1, "b": 1}
    assert "row 0" in run.outcomes["message"][2]


@pytest.mark.parametrize(
    ("policy", "sent", "outcomes"),
    [
        ("reject", {"b": "2"}, ["invalid", "accepted", "invalid"]),
        ("first", {"a": "1", "b": "2"}, ["accepted", "accepted", "invalid"]),
        ("last", {"a": "3", "b": "2"}, ["invalid", "accepted", "accepted"]),
    ],
)
def test_rows_that_contradict_each_other_are_resolved_by_the_declared_policy(
    sandbox: t1.Sandbox, client: t1.Client, policy: Any, sent: dict[str, str], outcomes: list[str]
) -> None:
    people = pd.DataFrame({"integration_id": ["a", "b", "a"], "Age": [1, 2, 3]})
    run = t1.upsert_profiles(client, people, duplicates=policy)
    assert {key: value["Age"] for key, value in attributes(sandbox).items()} == sent
    assert run.outcomes["outcome"].tolist() == outcomes
    assert run.failures["reason"].unique().tolist() == ["duplicate_id"]
    assert re.search(r"row [02] has the same integration_id and other values", run.failures["message"].iloc[0])


def test_a_bad_row_among_a_thousand_costs_one_row(sandbox: t1.Sandbox, client: t1.Client) -> None:
    sandbox.load({"attributes": [{"entity": "CustomerProfile", "name": "Age", "type": "number"}]})
    ages: list[Any] = list(range(1500))
    ages[1234] = "old"
    people = pd.DataFrame({"integration_id": [f"c{n}" for n in range(1500)], "Age": pd.Series(ages, dtype=object)})
    run = t1.upsert_profiles(client, people)
    assert (run.counts["accepted"], run.counts["refused"]) == (1499, 1)
    row = run.failures.loc[1234]
    assert (row["outcome"], row["http_status"], row["field"]) == ("refused", 400, "Age")
    assert "Age" in row["message"]
    assert "old" not in row["message"], "a customer's value stands in the journal"


def test_names_and_types_are_held_against_the_account_before_anything_is_sent(sandbox: t1.Sandbox) -> None:
    sandbox.load({"attributes": [{"entity": "CustomerProfile", "name": "Age", "type": "number"}]})
    with t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key) as client:
        with pytest.raises(t1.errors.InputError, match=r"'Agee'.*did you mean 'Age'"):
            t1.upsert_profiles(client, pd.DataFrame({"integration_id": ["1"], "Agee": [1]}))
        with pytest.raises(t1.errors.InputError, match="Age"):
            t1.upsert_profiles(client, pd.DataFrame({"integration_id": ["1"], "Age": [True]}))
        assert not sandbox.requests.of(UPSERT)
        assert t1.upsert_profiles(client, pd.DataFrame({"integration_id": ["1"], "Age": [1]})).counts["accepted"] == 1


def test_a_wrong_mapping_stops_after_two_batches_and_says_so(sandbox: t1.Sandbox) -> None:
    people = pd.DataFrame({"integration_id": [f"c{n}" for n in range(9000)], "Nmae": "x"})
    with t1.Sandbox() as strict, t1.Client(strict.base_url, strict.api_key, rate=None) as client:
        run = t1.upsert_profiles(client, people, connections=1)
        assert len(strict.requests.of(UPSERT)) < 60
    assert run.counts["accepted"] == 0
    assert sum(run.counts.values()) == 9000
    assert "Nmae" in str(run.stopped)


def test_a_lost_answer_is_sent_again_because_an_upsert_may_be(sandbox: t1.Sandbox, client: t1.Client) -> None:
    sandbox.faults.add(Reset(when="after"), on=UPSERT, first=1)
    run = t1.upsert_profiles(client, PEOPLE)
    assert run.counts["accepted"] == 3
    assert run.batches["attempts"].tolist() == [2]
    assert len(sandbox.requests.of(UPSERT)) == 2


def test_a_wrong_key_leaves_every_row_unsent_and_a_mended_one_resumes(sandbox: t1.Sandbox, tmp_path: Path) -> None:
    journal = tmp_path / "run.sqlite"
    with t1.Client(sandbox.base_url, "a-key-that-is-not-known") as wrong:
        run = t1.upsert_profiles(wrong, PEOPLE, journal=journal)
    assert run.counts["unsent"] == 3
    with t1.Client(sandbox.base_url, sandbox.api_key) as right:
        again = t1.upsert_profiles(right, PEOPLE, journal=journal)
    assert again.id == run.id
    assert again.counts["accepted"] == 3


def test_a_revoked_key_in_the_middle_loses_nothing(sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path) -> None:
    people = pd.DataFrame({"integration_id": [f"c{n}" for n in range(6000)], "Age": range(6000)})
    sandbox.faults.add(Status(401), on=UPSERT, every=4)
    first = t1.upsert_profiles(client, people, journal=tmp_path / "j.sqlite", connections=1)
    assert (first.counts["accepted"], first.counts["unsent"]) == (3000, 3000)
    sandbox.faults.clear()
    second = t1.resume(client, tmp_path / "j.sqlite", data=people)
    assert second.counts["accepted"] == 6000
    assert second.outcomes["outcome"].eq("accepted").all()
    assert Counter(profile["integrationId"] for profile in received(sandbox) if profile).most_common(1)[0][1] <= 2


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"data": PEOPLE.assign(Name="Eve")}, "the input's content"),
        ({"missing": "clear"}, r"the mapping \(columns\)"),
        ({"duplicates": "last"}, r"the mapping \(duplicates\)"),
    ],
)
def test_a_resume_refuses_what_is_not_the_same_job(
    sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    journal = tmp_path / "run.sqlite"
    t1.upsert_profiles(client, PEOPLE, journal=journal)
    sandbox.requests.clear()
    arguments = {"data": PEOPLE, **change}
    with pytest.raises(t1.errors.JournalError, match=named):
        t1.upsert_profiles(client, **arguments, journal=journal)
    assert not sandbox.requests


def test_a_finished_run_asked_again_sends_nothing(sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path) -> None:
    first = t1.upsert_profiles(client, PEOPLE, journal=tmp_path / "j.sqlite")
    sandbox.requests.clear()
    again = t1.upsert_profiles(client, PEOPLE, journal=tmp_path / "j.sqlite")
    assert not sandbox.requests
    assert again.counts == first.counts


def test_a_file_that_changed_is_not_resumed(sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", "integration_id,Age\n1,1\n")
    run = t1.upsert_profiles(client, path)
    write(path, "integration_id,Age\n1,2\n")
    with pytest.raises(t1.errors.JournalError, match="the input's content"):
        t1.resume(client, run.id)
    assert t1.open_run(run.id).outcomes["integration_id"].isna().all(), "ids of another file must not be shown"


def test_a_run_read_again_from_its_id_shows_the_same_outcomes(client: t1.Client, tmp_path: Path) -> None:
    run = t1.upsert_profiles(client, write(tmp_path / "p.csv", "integration_id,Age\n1,1\n,2\n3,3\n"))
    again = t1.open_run(run.id)
    pd.testing.assert_frame_equal(again.outcomes, run.outcomes)
    assert t1.list_runs().loc[run.id, "invalid"] == 1


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_outcomes_are_written_one_line_a_row_and_never_over_another_file(
    client: t1.Client, tmp_path: Path, suffix: str
) -> None:
    run = t1.upsert_profiles(client, PEOPLE)
    target = tmp_path / f"outcomes{suffix}"
    run.write_outcomes(target)
    read = pd.read_csv(target, dtype={"integration_id": str}) if suffix == ".csv" else pd.read_parquet(target)
    assert read["row"].tolist() == [1, 2, 3]
    assert read["integration_id"].tolist() == ["001", "002", "003"]
    assert target.stat().st_mode & 0o777 == 0o600
    with pytest.raises(t1.errors.InputError, match="is there already"):
        run.write_outcomes(target)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_run_says_what_happened_in_one_line_and_raises_only_when_asked(client: t1.Client) -> None:
    run = t1.upsert_profiles(client, PEOPLE.assign(integration_id=["1", "2", ""]))
    assert repr(run) == f"<Run {run.id}: 2 accepted, 1 invalid>"
    assert "<table>" in run._repr_html_()
    with pytest.raises(t1.errors.RunFailed, match="1 invalid"):
        run.raise_for_failures()


def test_names_from_a_file_are_escaped_in_html(client: t1.Client, tmp_path: Path) -> None:
    plan = t1.plan_upsert(client, write(tmp_path / "<img src=x>.csv", "integration_id,Age\n1,1\n"))
    assert "<img" not in plan._repr_html_()


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame({"integration_id": [1.0, None], "Age": [1, 2]}), "floating point"),
        (pd.DataFrame({"integration_id": ["1.23E+10", "2"], "Age": [1, 2]}), "a spreadsheet has shortened it"),
        (pd.DataFrame({"integration_id": [], "Age": []}), "no rows"),
        (pd.DataFrame({"customer": ["1"]}), "'customer'"),
        (pd.DataFrame({"integration_id": ["1"], "x y": [1]}), "'x y'"),
        (pd.DataFrame([["1", 1, 2]], columns=["integration_id", "Age", "Age"]), "'Age'"),
    ],
)
def test_a_frame_that_cannot_be_used_is_refused_before_anything_is_sent(
    sandbox: t1.Sandbox, client: t1.Client, frame: pd.DataFrame, said: str
) -> None:
    with pytest.raises(t1.errors.InputError, match=re.escape(said)):
        t1.upsert_profiles(client, frame)
    assert not sandbox.requests


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_an_infinity_costs_its_row_only(client: t1.Client, value: float) -> None:
    run = t1.upsert_profiles(client, pd.DataFrame({"integration_id": ["a", "b"], "Age": [1.0, value]}))
    assert run.failures["reason"].to_dict() == {1: "not_finite"}


def test_no_id_or_value_of_a_customer_stands_in_the_journal(
    sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path
) -> None:
    sandbox.load({"attributes": [{"entity": "CustomerProfile", "name": "Age", "type": "number"}]})
    people = pd.DataFrame(
        {
            "integration_id": ["canary-id-1", " canary-id-2", "canary-id-3"],
            "Age": ["canary-value", "canary-value", "canary-other"],
        }
    )
    run = t1.upsert_profiles(client, people, journal=tmp_path / "run.sqlite")
    assert run.counts["refused"] == 2
    assert b"canary" not in (tmp_path / "run.sqlite").read_bytes()


def test_four_senders_never_have_one_id_in_flight_twice_and_lose_no_row(sandbox: t1.Sandbox, client: t1.Client) -> None:
    people = pd.DataFrame({"integration_id": [f"c{n}" for n in range(25_000)], "Age": range(25_000)})
    run = t1.upsert_profiles(client, people, connections=8)
    assert run.counts["accepted"] == 25_000
    counted = Counter(profile["integrationId"] for profile in received(sandbox))
    assert len(counted) == 25_000
    assert set(counted.values()) == {1}


def test_ids_that_look_the_same_are_sent_exactly_and_reported_in_the_plan(
    sandbox: t1.Sandbox, client: t1.Client
) -> None:
    ids = ["Anna", "anna", "Zo\u00eb", "Zoe\u0308", "x\u200by", "xy", "other"]
    people = pd.DataFrame({"integration_id": ids, "Age": range(7)})
    plan = t1.plan_upsert(client, people)
    assert plan.twins is not None
    assert plan.twins.examples == ((0, 1), (2, 3), (4, 5))
    assert "3 ids differ from another one only in case" in str(plan)
    t1.upsert_profiles(client, people)
    assert [profile["integrationId"] for profile in received(sandbox)] == ids


def test_a_file_that_changes_under_the_run_stops_it_and_every_row_still_has_an_outcome(
    client: t1.Client, tmp_path: Path
) -> None:
    lines = "".join(f"c{n},{n}\n" for n in range(200_000))
    path = write(tmp_path / "p.csv", "integration_id,Age\n" + lines)

    def meddle(progress: t1.Progress) -> None:
        if progress.counts["accepted"]:
            path.touch()

    run = t1.upsert_profiles(client, path, progress=meddle)
    assert "changed" in str(run.stopped)
    assert run.counts["accepted"] > 0
    assert run.counts["unsent"] > 0
    assert sum(run.counts.values()) == 200_000


def test_a_decimal_comma_is_read_when_declared_and_the_plan_shows_the_type(
    sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path
) -> None:
    path = write(tmp_path / "p.csv", "integration_id;Preis\n1;1,10\n2;-0,5\n")
    assert t1.plan_upsert(client, path).columns["type"].tolist() == ["string"]
    plan = t1.plan_upsert(client, path, decimal=",")
    assert plan.columns["type"].tolist() == ["number"]
    t1.upsert_profiles(client, path, decimal=",")
    assert attributes(sandbox) == {"1": {"Preis": "1.10"}, "2": {"Preis": "-0.5"}}


def test_a_run_of_the_day_before_is_resumed_only_when_asked_for(
    sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path
) -> None:
    journal = tmp_path / "run.sqlite"
    with t1.Client(sandbox.base_url, "a-key-that-is-not-known") as wrong:
        t1.upsert_profiles(wrong, PEOPLE, journal=journal)
    with sqlite3.connect(journal) as db:
        db.execute("UPDATE run SET started_at = started_at - 25 * 3600")
    db.close()
    sandbox.requests.clear()
    with pytest.raises(t1.errors.JournalError, match=r"began 1.0 days ago.*resume_old=True"):
        t1.upsert_profiles(client, PEOPLE, journal=journal)
    assert not sandbox.requests
    assert t1.resume(client, journal, data=PEOPLE, resume_old=True).counts["accepted"] == 3


def test_another_thread_pauses_and_stops_a_run_by_its_control(sandbox: t1.Sandbox, client: t1.Client) -> None:
    people = pd.DataFrame({"integration_id": [f"c{n}" for n in range(20_000)], "Age": range(20_000)})
    control = t1.Control()
    seen: list[int] = []

    def watch(progress: t1.Progress) -> None:
        if progress.counts["accepted"] and not seen:
            seen.append(progress.done)
            control.pause()
            threading.Thread(target=lambda: (control.go_on(), control.stop())).start()

    run = t1.upsert_profiles(client, people, control=control, progress=watch)
    sent = len(sandbox.requests.of(UPSERT))
    assert run.stopped == "stopped on request"
    assert 0 < run.counts["accepted"] < 20_000
    assert run.counts["in_doubt"] == 0
    assert run.counts["accepted"] + run.counts["unsent"] == 20_000
    assert len(sandbox.requests.of(UPSERT)) == sent


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_failed_rows_are_written_in_the_inputs_own_columns_and_can_be_sent_again(
    sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path, suffix: str
) -> None:
    path = write(tmp_path / "p.csv", 'integration_id,Note,Age\n007,"a ""b"", c",1\n 08,x,2\n009,y,old\n10,z,4,5\n')
    run = t1.upsert_profiles(client, path, types={"Age": "number"})
    assert run.counts["invalid"] == 3
    again = tmp_path / f"failed{suffix}"
    assert run.write_failed_rows(again) == 2, "the ragged row has no columns of its own"
    frame = pd.read_csv(again, dtype=str) if suffix == ".csv" else pd.read_parquet(again)
    assert frame.to_numpy().tolist() == [[" 08", "x", "2"], ["009", "y", "old"]]
    assert frame.columns.tolist() == ["integration_id", "Note", "Age"]
    mended = frame.assign(integration_id=["08", "009"], Age=["2", "3"])
    assert t1.upsert_profiles(client, mended, types={"Age": "number"}).counts["accepted"] == 2


def test_a_run_without_connections_is_refused(sandbox: t1.Sandbox, client: t1.Client) -> None:
    with pytest.raises(t1.errors.InputError, match="connections: got 0"):
        t1.upsert_profiles(client, PEOPLE, connections=0)
    assert not sandbox.requests


@pytest.mark.parametrize(
    "ids", [["00001", 2], ["a", 1.5], ["a", True], ["1", 2, None, 3.0], ["a", ["x"]], ["a", {"b": 1}]]
)
def test_an_id_column_of_several_kinds_is_refused_and_never_sent_as_something_else(
    sandbox: t1.Sandbox, client: t1.Client, ids: list[Any]
) -> None:
    frame = pd.DataFrame({"integration_id": pd.Series(ids, dtype=object), "Age": range(len(ids))})
    for attempt in (lambda: t1.check_profiles(frame), lambda: t1.upsert_profiles(client, frame)):
        with pytest.raises(t1.errors.InputError, match="several kinds side by side"):
            attempt()
    assert not sandbox.requests


def test_ids_that_read_like_errors_of_a_spreadsheet_are_told_in_the_plan_and_sent_as_they_are(
    sandbox: t1.Sandbox, client: t1.Client
) -> None:
    frame = pd.DataFrame({"integration_id": ["a", "#N/A", "#REF!", "#1"], "Age": range(4)})
    plan = t1.plan_upsert(client, frame)
    assert (
        "2 ids read like errors of a spreadsheet, such as #N/A or #REF!; they are sent as they are (rows 1, 2)"
        in str(plan)
    )
    t1.upsert_profiles(client, frame)
    assert list(attributes(sandbox)) == ["a", "#N/A", "#REF!", "#1"]


def test_a_column_alone_is_no_table_and_is_refused_in_words() -> None:
    with pytest.raises(t1.errors.InputError, match="Give"):
        t1.check_profiles(pd.Series(["a", "b"], name="integration_id"))
