"""``t1data audiences`` in a shell: diff, plan, members and overlaps."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from shell import Shell, variables

import t1data as t1
from t1data.cli import cli
from t1data.cli.audiences import WITHOUT_OPTION


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    for name in ("T1DATA_BASE_URL", "T1DATA_API_KEY", "T1DATA_MANAGEMENT_KEY"):
        monkeypatch.delenv(name, raising=False)
    Path("june.csv").write_text("integration_id,tier\n1,gold\n2,gold\n007,gold\n")
    Path("july.csv").write_text("integration_id,tier\n2,basic\n7,gold\n1,gold\n")
    return Shell(capsys)


# --- the tables of options and the functions that they feed -----------------------------------------------------

FUNCTIONS: dict[str, tuple[Callable[..., Any], ...]] = {
    "diff": (t1.diff_audiences,),
    "plan": (t1.diff_audiences, t1.plan_audience),
    "members": (t1.fetch_members,),
    "overlaps": (t1.overlaps,),
}
OF_THE_SHELL = {"base_url", "env", "rate", "pace", "to", "overwrite", "as_json", "ending", "ids_only", "files"}


def options_of(name: str) -> dict[str, click.Parameter]:
    group = cli.commands["audiences"]
    assert isinstance(group, click.Group)
    return {str(param.name): param for param in group.commands[name].params}


def parameters_of(name: str) -> dict[str, Any]:
    return {
        parameter: found.default
        for function in FUNCTIONS[name]
        for parameter, found in inspect.signature(function).parameters.items()
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_has_an_option_or_a_written_reason_and_every_option_a_parameter(name: str) -> None:
    typed, known = options_of(name).keys() - OF_THE_SHELL, parameters_of(name).keys()
    reasons = WITHOUT_OPTION.keys()
    unasked = {"compare", "all_twins"} if name == "plan" else set()  # a plan is of ids alone
    assert known == typed | (reasons & known) | unasked
    assert typed & reasons <= {"before", "after", "audience"}  # these are the arguments themselves


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_default_that_help_names_is_that_of_the_function(name: str) -> None:
    for parameter, option in options_of(name).items():
        found = re.search(r"\(default: (\w+)\)", getattr(option, "help", None) or "")
        if found:
            assert found[1] == parameters_of(name)[parameter]


# --- diff ---------------------------------------------------------------------------------------------------


def test_a_diff_shows_counts_and_ends_with_1_when_audiences_differ(shell: Shell) -> None:
    done = shell("audiences", "diff", "june.csv", "july.csv")
    assert done.code == 1
    assert done.out.splitlines()[0] == "june.csv → july.csv: 1 added, 1 removed, 2 kept, 1 changed"
    assert "ids that look alike and are not the same: 1 (see twins)" in done.out
    assert "007" not in done.out
    assert shell("audiences", "diff", "june.csv", "june.csv").code == 0
    assert shell("audiences", "diff", "june.csv", "june.csv").out.startswith("june.csv → june.csv: 0 added")


def test_a_diff_for_machines_is_one_line_and_files(shell: Shell) -> None:
    done = shell("audiences", "diff", "june.csv", "july.csv", "--json", "--to", "out/july", "--format", "csv")
    assert (done.code, len(done.out.splitlines())) == (1, 1)
    assert {name: done.last[name] for name in ("added", "removed", "kept", "changed", "twins", "same", "compared")} == {
        "added": 1, "removed": 1, "kept": 2, "changed": 1, "twins": 1, "same": False, "compared": ["tier"],
    }  # fmt: skip
    assert done.last["files"]["changed"] == "out/july/changed.csv"
    assert Path("out/july/changed.csv").read_text().splitlines()[1] == '"2","tier","gold","basic"'
    assert {path.name for path in Path("out/july").iterdir()} == {
        f"{name}.csv" for name in ("added", "removed", "changed", "duplicates", "twins")
    }
    again = ("audiences", "diff", "june.csv", "july.csv", "--to", "out/july", "--format", "csv")
    assert shell(*again).code == 2
    assert "is there already" in shell(*again).err
    assert shell(*again, "--overwrite").code == 1


def test_a_folder_that_is_a_file_is_no_difference(shell: Shell) -> None:
    done = shell("audiences", "diff", "june.csv", "june.csv", "--to", "july.csv")
    assert done.code == 2
    assert "july.csv is a file" in done.err


def test_options_of_a_diff_reach_the_function(shell: Shell) -> None:
    Path("a.csv").write_text("no,x,y\n1,1,1\n1a,1,1\n")
    Path("b.csv").write_text("no,x,y\n1,1,2\n1a,1,1\n1A,1,1\n")
    assert shell("audiences", "diff", "a.csv", "b.csv", "--on", "no", "--json").last["changed"] == 1
    told = shell("audiences", "diff", "a.csv", "b.csv", "--on", "no", "--compare", "x", "--all-twins", "--json").last
    assert (told["changed"], told["twins"], told["compared"]) == (0, 1, ["x"])
    told = shell("audiences", "diff", "a.csv", "b.csv", "--on", "no", "--ids-only", "--json").last
    assert told["compared"] == []
    assert shell("audiences", "diff", "a.csv", "b.csv", "--temp-folder", "no").code == 2


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("june.csv", "nowhere.csv"), "Error: input 'after': There is no file nowhere.csv"),
        (("june.csv", "july.csv", "--on", "email"), "there is no column 'email'"),
        (("june.csv", "july.csv", "--compare", "tire"), "Error: --compare: got 'tire', valid are 'tier'"),
        (("june.csv", "july.csv", "--compare", "tier", "--ids-only"), "leave out --compare"),
        (("june.csv", "july.csv", "--memory-limit", "much"), "Error: --memory-limit 'much' is no size"),
    ],
)
def test_what_cannot_be_compared_ends_with_2(typed: tuple[str, ...], said: str, shell: Shell) -> None:
    done = shell("audiences", "diff", *typed)
    assert done.code == 2
    assert said in done.err


# --- plan ---------------------------------------------------------------------------------------------------


def test_a_plan_is_written_for_apply(shell: Shell) -> None:
    typed = ("audiences", "plan", "june.csv", "july.csv", "--audience-id", "748", "--to", "plan.csv")
    refused = shell(*typed)
    assert refused.code == 2
    assert "would take out 1 of 3 members. If that is meant, say --max-removed" in refused.err
    assert not Path("plan.csv").exists()
    done = shell(*typed, "--max-removed", "1", "--known", "june.csv")
    assert done.code == 0
    assert "audience 748: 1 to add, 1 to take out\n1 of those to add are no customers yet" in done.out
    assert Path("plan.csv").read_text().splitlines()[1:] == ['"7","add",748,false', '"007","delete",748,']
    told = shell("audiences", "plan", "june.csv", "july.csv", "--audience-id", "748", "--mode", "add", "--json").last
    assert told == {
        "audience_id": 748, "actions": 1, "added": 1, "removed": 0, "unknown": None, "twins": 1, "to": None,
    }  # fmt: skip
    assert "--audience-id N" in shell("audiences", "plan", "june.csv", "july.csv").err


def test_each_file_can_have_an_encoding_of_its_own(shell: Shell) -> None:
    Path("old.csv").write_bytes("integration_id;x\nä;1\nb;2\n".encode("cp1252"))
    Path("new.csv").write_bytes("integration_id\tx\nä\t1\nb\t2\nö\t3\n".encode("utf-16"))
    refused = shell("audiences", "diff", "old.csv", "new.csv")
    assert refused.code == 2
    assert "Pass the right --encoding" in refused.err
    words = ("--encoding", "before=cp1252", "--delimiter", "after=\\t")
    assert shell("audiences", "diff", "old.csv", "new.csv", *words, "--json").last["added"] == 1
    known = ("--known", "old.csv", "--encoding", "known=cp1252")
    plan = ("audiences", "plan", "old.csv", "new.csv", "--audience-id", "748", "--json")
    assert shell(*plan, *words, *known).last["unknown"] == 1
    assert (
        shell("audiences", "overlaps", "a=old.csv", "b=new.csv", "--encoding", "a=cp1252", "--json").last["members"]
        == 3
    )
    for wrong in (("--encoding", "cp1252", "--encoding", "after=utf-16"), ("--encoding", "july=cp1252")):
        assert shell("audiences", "diff", "old.csv", "new.csv", *wrong).code == 2


# --- members and overlaps -----------------------------------------------------------------------------------


@pytest.fixture
def account(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with t1.Sandbox() as sandbox:
        sandbox.load({"audiences": [{"id": 748, "name": "Regulars"}]})
        for name, value in variables(sandbox, tmp_path, management=True).items():
            monkeypatch.setenv(name, value)
        yield


@pytest.mark.usefixtures("account")
def test_a_plan_is_applied_and_the_members_come_home(shell: Shell) -> None:
    Path("nobody.csv").write_text("integration_id\n")
    plan = ("audiences", "plan", "nobody.csv", "june.csv", "--audience-id", "748", "--to", "plan.parquet")
    assert shell(*plan).code == 0
    assert shell("audiences", "apply", "plan.parquet").code == 0
    for typed in (("748", "--to", "a.csv"), ("Regulars", "--to", "a.parquet", "--method", "list")):
        assert shell("audiences", "members", *typed).code == 0
        assert shell("audiences", "diff", "june.csv", typed[2]).code == 0
    assert shell("audiences", "members", "748", "--to", "a.csv").code == 2
    told = shell("audiences", "members", "748", "--to", "a.csv", "--overwrite", "--json").last
    assert told == {"audience": 748, "members": 3, "to": "a.csv"}


def test_overlaps_are_told_to_people_and_machines(shell: Shell) -> None:
    done = shell("audiences", "overlaps", "june.csv", "July=july.csv")
    assert done.code == 0
    assert done.out.splitlines()[:2] == ["4 customers in 2 audiences", "june.csv: 3"]
    assert "only in june.csv and July: 2" in done.out
    told = shell("audiences", "overlaps", "june.csv", "July=july.csv", "--json").last
    assert told["matrix"]["July"] == {"june.csv": 2, "July": 3}
    assert shell("audiences", "overlaps", "june.csv").code == 2
    assert "one name" in shell("audiences", "overlaps", "june.csv", "june.csv").err
    assert json.dumps(told)
