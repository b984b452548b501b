"""``t1data profiles diff``, ``verify`` and ``undo``, and ``t1data audiences history``: for people and for scripts."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pytest
from shell import UPSERT, Shell, variables

import t1data as t1
from t1data.cli import cli
from t1data.cli.profile_checks import COMPARING, UNDOING, WITHOUT_OPTION
from t1data.sandbox import Sandbox

PEOPLE = [
    {"integration_id": "ada", "attributes": {"Name": "Ada"}},
    {"integration_id": "bob", "attributes": {"Name": "Bob"}},
]


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.chdir(tmp_path)
    with Sandbox(seed=1) as running:
        for name, value in variables(running, tmp_path).items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("T1DATA_MANAGEMENT_KEY", raising=False)
        running.load({"profiles": PEOPLE})
        Path("people.csv").write_text("integration_id,Name\nada,Ada\nbob,Robert\nnew,New\n")
        yield running


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def sent(sandbox: Sandbox) -> int:
    return len(sandbox.requests.of(UPSERT))


# --- the tables of options and the functions that they feed -------------------------------------------------

TABLES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "diff": (t1.diff_profiles, COMPARING),
    "verify": (t1.verify_profiles, COMPARING),
    "undo": (t1.undo_upsert, UNDOING),
}


@pytest.mark.parametrize("name", TABLES)
def test_every_parameter_has_an_option_or_a_written_reason_and_every_option_a_parameter(name: str) -> None:
    function, table = TABLES[name]
    known, fed = set(inspect.signature(function).parameters), {row.parameter for row in table}
    reasons = WITHOUT_OPTION.keys() - ({"data"} if name == "undo" else set())  # there it is an option
    assert known == fed | (reasons & known)
    assert not fed & reasons


@pytest.mark.parametrize("name", TABLES)
def test_a_default_that_help_names_is_that_of_the_function(name: str) -> None:
    function, table = TABLES[name]
    defaults = {parameter: str(found.default) for parameter, found in inspect.signature(function).parameters.items()}
    said = {row.parameter: found[1] for row in table if (found := re.search(r"\(default: (\w+)\)", row.help))}
    assert "connections" in said
    assert said == {parameter: defaults[parameter] for parameter in said}


def test_the_default_of_connections_is_told_as_it_is_where_inventories_are_read() -> None:
    group = cli.commands["inventories"]
    assert isinstance(group, click.Group)
    [option] = [param for param in group.commands["fetch"].params if param.name == "connections"]
    default = inspect.signature(t1.fetch_inventories).parameters["connections"].default
    assert f"(default: {default})" in (getattr(option, "help", None) or "")


# --- diff and verify ----------------------------------------------------------------------------------------


def test_a_diff_counts_what_differs_and_ends_with_1(shell: Shell, sandbox: Sandbox) -> None:
    done = shell("profiles", "diff", "people.csv", "--to", "differences.csv")
    assert done.code == 1
    assert done.out.splitlines() == ["2 of 3 customers differ, 1 not in the account", "          2  Name"]
    assert "Robert" not in done.out + done.err
    assert pd.read_csv("differences.csv").fillna("-").values.tolist() == [
        [2, "bob", "Name", "Bob", "Robert"],
        [3, "new", "Name", "-", "New"],
    ]
    assert sent(sandbox) == 0


def test_what_was_sent_is_verified_and_a_diff_is_then_empty(shell: Shell, sandbox: Sandbox) -> None:
    assert shell("profiles", "verify", "people.csv").code == 1
    assert shell("profiles", "upsert", "people.csv").code == 0
    assert shell("profiles", "verify", "people.csv").code == 0
    done = shell("profiles", "diff", "people.csv", "--to", "none.csv")
    assert (done.code, done.out) == (0, "0 of 3 customers differ\n")
    assert Path("none.csv").read_text() == '"row","integration_id","attribute","before","after"\n'


def test_machines_get_one_line_of_json(shell: Shell, sandbox: Sandbox) -> None:
    done = shell("profiles", "verify", "people.csv", "--json", "--to", "found.parquet")
    assert json.loads(done.out) == {
        "compared": 3,
        "differing": 2,
        "unknown": 1,
        "unread": 0,
        "invalid": 0,
        "attributes": {"Name": 2},
        "run": json.loads(done.out)["run"],
        "to": "found.parquet",
    }
    assert pd.read_parquet("found.parquet").columns.tolist()[-2:] == ["sent", "found"]


def test_a_row_that_cannot_be_sent_is_told_and_keeps_a_diff_from_looking_empty(shell: Shell, sandbox: Sandbox) -> None:
    Path("people.csv").write_text("integration_id,Name\nada,Ada\n,Nobody\n")
    done = shell("profiles", "diff", "people.csv")
    assert (done.code, done.out) == (3, "0 of 1 customer differ, 1 invalid row not compared\n")


def test_a_sample_reads_so_many(shell: Shell, sandbox: Sandbox) -> None:
    done = shell("profiles", "verify", "people.csv", "--sample", "1", "--seed", "5", "--json")
    assert done.last["compared"] == 1
    assert shell("profiles", "verify", "people.csv", "--sample", "0").code == 2


def test_a_file_that_is_there_is_told_before_anybody_is_read(shell: Shell, sandbox: Sandbox) -> None:
    Path("mine.csv").write_text("mine")
    before = len(sandbox.requests)
    done = shell("profiles", "diff", "people.csv", "--to", "mine.csv")
    assert done.code == 2
    assert "--overwrite" in done.err
    assert len(sandbox.requests) == before
    assert shell("profiles", "diff", "people.csv", "--to", "mine.csv", "--overwrite").code == 1


# --- undo ---------------------------------------------------------------------------------------------------


def test_an_upsert_is_taken_back(shell: Shell, sandbox: Sandbox) -> None:
    assert shell("profiles", "upsert", "people.csv", "--only-changed", "--journal", "run.sqlite").code == 0
    done = shell("profiles", "undo", "run.sqlite")
    assert (done.code, done.last["accepted"]) == (0, 2)
    Path("before.csv").write_text("integration_id,Name\nada,Ada\nbob,Bob\n")
    assert shell("profiles", "verify", "before.csv").code == 0


def test_what_somebody_has_changed_since_is_left_and_told(shell: Shell, sandbox: Sandbox) -> None:
    shell("profiles", "upsert", "people.csv", "--only-changed", "--journal", "run.sqlite")
    with t1.Client(sandbox.base_url, sandbox.api_key) as client:
        client.update_customer_profile_v2("bob", {"attributes": {"Name": "Bobby"}})
    done = shell("profiles", "undo", "run.sqlite")
    assert (done.code, done.last["accepted"], done.last["invalid"]) == (3, 1, 1)
    assert "somebody has changed 'Name' since" in done.err


def test_an_upsert_that_did_not_look_first_cannot_be_taken_back(shell: Shell, sandbox: Sandbox) -> None:
    shell("profiles", "upsert", "people.csv", "--journal", "run.sqlite")
    done = shell("profiles", "undo", "run.sqlite")
    assert done.code == 2
    assert "--only-changed" in done.err


# --- history ------------------------------------------------------------------------------------------------


@pytest.fixture
def snapshots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("vip").mkdir()
    Path("vip", "2026-06.csv").write_text("integration_id\n1\n2\n")
    Path("vip", "2026-07.csv").write_text("integration_id\n2\n3\n4\n")


@pytest.mark.usefixtures("snapshots")
def test_the_history_of_an_audience_is_a_table_for_people(shell: Shell) -> None:
    done = shell("audiences", "history", "vip")
    assert done.code == 0
    assert [line.split() for line in done.out.splitlines()] == [
        ["size", "joined", "left"],
        ["snapshot"],
        ["2026-06", "2", "-", "-"],
        ["2026-07", "3", "2", "1"],
    ]


@pytest.mark.usefixtures("snapshots")
def test_the_history_of_an_audience_for_machines(shell: Shell) -> None:
    done = shell("audiences", "history", "vip", "--json", "--to", "vip.csv")
    assert json.loads(done.out) == {
        "snapshots": [
            {"snapshot": "2026-06", "size": 2, "joined": None, "left": None},
            {"snapshot": "2026-07", "size": 3, "joined": 2, "left": 1},
        ],
        "to": "vip.csv",
    }
    assert Path("vip.csv").read_text().splitlines()[-1] == '"2026-07",3,2,1'
    assert shell("audiences", "history", "vip", "--to", "vip.csv").code == 2
    assert shell("audiences", "history", "nowhere").code == 2
