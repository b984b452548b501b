"""The demo: what it leaves behind, what it replaces, and that its comparison would notice a wrong value."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from shell import ROOT, Ended, Shell, ended, start

import t1data as t1
from t1data.cli.comparison import compare, says_the_same
from t1data.cli.demo import find_sample_data
from t1data.errors import InputError
from t1data.sandbox import Sandbox


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def done(folder: Path) -> Ended:
    return ended(start("demo", env={}, cwd=folder), within=60)


def test_every_customer_is_accepted_and_those_read_back_are_as_in_the_file(done: Ended) -> None:
    assert done.code == 0
    assert done.last["rows"] == done.last["accepted"] == 23_570
    assert "23,570 rows would be sent in 24 requests" in done.err
    assert "25 customers, 175 fields" in done.err
    assert "every one is what the file says" in done.err


def test_it_says_where_things_lie_and_they_are_there(done: Ended, folder: Path) -> None:
    for name in ("journal.sqlite", "outcomes.csv", "run.png"):
        assert f"demo-run/{name}" in done.err
    assert (folder / "demo-run/run.png").read_bytes().startswith(b"\x89PNG")
    with (folder / "demo-run/outcomes.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 23_570
    assert {row["outcome"] for row in rows} == {"accepted"}
    assert rows[0]["integration_id"] == "00001"
    assert t1.open_run(folder / "demo-run/journal.sqlite").counts["accepted"] == 23_570


def test_the_next_command_that_it_names_works(
    done: Ended, folder: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    line = next(line for line in done.err.splitlines() if "runs show" in line)
    words = line[: line.index("  the run again")].split()
    assert "23,570 rows: 23,570 accepted" in shell(*words[1:]).out


def test_a_second_demo_replaces_the_first_and_nothing_else(done: Ended, folder: Path) -> None:
    notes = folder / "demo-run" / "my notes.txt"
    notes.write_text("keep")
    again = ended(start("demo", env={}, cwd=folder), within=60)
    assert again.code == 0
    assert again.last["run"] != done.last["run"]
    assert notes.read_text() == "keep"


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo-run").mkdir()
    file = tmp_path / "demo-run" / "outcomes.csv"
    file.write_text("mine")
    return file


def test_a_folder_that_no_demo_made_is_left_alone(foreign: Path, shell: Shell) -> None:
    refused = shell("demo")
    assert refused.code == 2
    assert refused.err == "Error: demo-run holds files that no demo made; name another folder with --folder\n"
    assert foreign.read_text() == "mine"


def test_a_link_is_not_followed(foreign: Path, shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "demo-run")
    refused = shell("demo", "--folder", "link")
    assert refused.code == 2
    assert "link is no folder" in refused.err
    assert foreign.read_text() == "mine"


def test_without_the_sample_data_it_says_where_to_run_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run the demo in the folder of the project, where sample_data is"):
        find_sample_data(tmp_path, tmp_path / "other")
    assert find_sample_data(tmp_path, ROOT) == ROOT / "sample_data"


@pytest.fixture
def client() -> Iterator[t1.Client]:
    with Sandbox() as sandbox:
        sandbox.load({"attributes": [{"entity": "CustomerProfile", "name": "Spend", "type": "number"}]})
        yield t1.Client(sandbox.base_url, sandbox.api_key, rate=None)


def test_a_value_that_differs_is_named(client: t1.Client, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("integration_id,Name,Spend\n001,Ada,1.50\n002,Grace,\n003,,2\n")
    for name, attributes in (("001", {"Name": "Ada", "Spend": 1.5}), ("002", {"Name": "grace", "Spend": 0})):
        client.update_customer_profile_v2(name, {"attributes": attributes})
    client.update_customer_profile_v2("003", {"attributes": {"Spend": 2}})
    found = compare(client, file, customers=10)
    assert (found.customers, found.fields, found.empty, found.same) == (3, 9, 2, False)
    assert found.differences == (
        "002: Name is 'Grace' in the file and 'grace' on the server",
        "002: Spend is '' in the file and 0 on the server",
    )
    assert found.lines()[0] == "3 customers, 9 fields (2 of them empty on both sides): 2 differ"


@pytest.mark.parametrize(
    ("cell", "value", "same"),
    [
        ("1.10", 1.1, True),
        ("1.10", 1.11, False),
        ("0.1", 0.1, True),
        ("007", 7, False),
        ("true", True, True),
        ("1", True, False),
        ("2026-07-01T12:00:00Z", "2026-07-01T14:00:00+02:00", True),
        ("2026-07-01T12:00:00Z", "2026-07-01T12:00:01Z", False),
        ("Ada", "Ada", True),
        ("Ada", "ada", False),
        ("", None, True),
        ("", "", True),
        ("None", None, False),
    ],
)
def test_a_cell_and_a_value_are_the_same_when_they_mean_the_same(cell: str, value: object, same: bool) -> None:
    assert says_the_same(cell, value) is same
