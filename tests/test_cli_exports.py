"""``t1data exports``: a data file in, a file out, and the same words and numbers as the functions give."""

from __future__ import annotations

import doctest
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from python_calamine import load_workbook
from shell import Shell

import t1data as t1
import t1data.exports.ads
import t1data.exports.machines
import t1data.exports.match_keys
import t1data.exports.people
import t1data.exports.phones
import t1data.exports.rows
import t1data.exports.rules
import t1data.exports.steps
import t1data.tables.marked
import t1data.writing
from t1data.cli.exports import ADS, PEOPLE, READING

FUNCTIONS: list[tuple[Callable[..., Any], tuple[Any, ...], set[str]]] = [
    (t1.export_for_people, (*READING, *PEOPLE), {"data", "path"}),
    (t1.export_for_machines, READING, {"data", "path"}),
    (t1.export_audience, (*READING, *ADS), {"data", "path", "platform"}),
]


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    lines = ["integration_id,mail,tel,note", "007,Ann@x.de,0151 23456789,=1+1", "008,no,,plain", ""]
    (tmp_path / "people.csv").write_text("\n".join(lines), encoding="utf-8")
    return Shell(capsys)


@pytest.mark.parametrize(("function", "options", "arguments"), FUNCTIONS)
def test_every_parameter_has_an_option_and_every_option_a_parameter(
    function: Callable[..., Any], options: tuple[Any, ...], arguments: set[str]
) -> None:
    assert {row.parameter for row in options} | arguments == set(inspect.signature(function).parameters)


def test_a_workbook_is_written_for_people(shell: Shell) -> None:
    ended = shell("exports", "people", "people.csv", "--to", "people.xlsx")
    assert ended.code == 0
    assert ended.last == {"rows": 2, "to": "people.xlsx"}
    rows = load_workbook("people.xlsx").get_sheet_by_index(0).to_python()
    assert rows[1] == ["007", "Ann@x.de", "0151 23456789", "=1+1"]


def test_a_csv_file_is_written_for_people_and_another_for_machines(shell: Shell) -> None:
    assert shell("exports", "people", "people.csv", "--to", "p.csv", "--separator", ";").code == 0
    assert '"007";"Ann@x.de";"0151 23456789";"\'=1+1";"yes"' in Path("p.csv").read_text("utf-8-sig")
    assert shell("exports", "machine", "p.csv", "--to", "m.csv").code == 0
    assert Path("m.csv").read_text("utf-8").splitlines()[1] == '"007","Ann@x.de","0151 23456789","=1+1"'


def test_an_audience_is_written_with_a_report_for_people_and_for_machines(shell: Shell) -> None:
    words = ["--platform", "google_customer_match", "--column", "mail=Email", "--column", "tel=Phone"]
    ended = shell("exports", "ads", "people.csv", "--to", "ads.csv", *words, "--default-region", "DE")
    assert ended.code == 3
    assert (ended.last["rows"], ended.last["written"], ended.last["left_out"]) == (2, 1, 1)
    assert ended.last["keys"]["Email"]["faults"] == {"not_an_address": 1}
    assert "Email: 1 usable (0 as they stood, 1 repaired), 1 dropped (1 not an e-mail address)" in ended.err
    assert "Ann" not in ended.err + ended.out
    header, row = Path("ads.csv").read_text().splitlines()
    assert header == "Email,Phone"
    assert len(row) == 64 + 1 + 64


def test_a_file_that_is_there_stays_unless_said(shell: Shell) -> None:
    Path("out.csv").write_text("mine")
    refused = shell("exports", "machine", "people.csv", "--to", "out.csv")
    assert refused.code == 2
    assert "is there already" in refused.err
    assert Path("out.csv").read_text() == "mine"
    assert shell("exports", "machine", "people.csv", "--to", "out.csv", "--overwrite").code == 0


def test_wrong_usage_is_told_in_a_sentence(shell: Shell) -> None:
    for words in (
        ["people", "people.csv", "--to", "x.ods"],
        ["people", "nowhere.csv", "--to", "x.csv"],
        ["ads", "people.csv", "--to", "x.csv", "--platform", "google_customer_match", "--column", "mail"],
        ["ads", "people.csv", "--to", "x.csv", "--platform", "tiktok"],
    ):
        ended = shell("exports", *words)
        assert ended.code == 2
        assert "Error: " in ended.err
        assert ended.out == ""
    assert [path.name for path in Path().iterdir()] == ["people.csv"]


def test_the_report_is_one_line_of_json(shell: Shell) -> None:
    ended = shell("exports", "ads", "people.csv", "--to", "a.csv", "--platform", "meta_custom_audience")
    assert ended.code == 3
    assert json.loads(ended.out)["platform"] == "meta_custom_audience"


@pytest.mark.parametrize(
    "module",
    [
        t1data.exports.ads,
        t1data.exports.machines,
        t1data.exports.match_keys,
        t1data.exports.people,
        t1data.exports.phones,
        t1data.exports.rows,
        t1data.exports.rules,
        t1data.exports.steps,
        t1data.tables.marked,
        t1data.writing,
    ],
    ids=lambda module: module.__name__,
)
def test_the_examples_in_the_documentation_of_exports_run(module: ModuleType) -> None:
    tried = doctest.testmod(module)
    assert tried.attempted > 0
    assert tried.failed == 0
