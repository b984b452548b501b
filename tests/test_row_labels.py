"""People are told of rows as they know them: by the labels of their frame, or by the numbers of a file's rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import t1data as t1

LABELS = [["a", "b", "c", "d"], range(100, 104), pd.date_range("2026-01-01", periods=4), None]
IDS = ["letters", "from 100", "days", "file"]
Put = Callable[..., Any]


@pytest.fixture(params=LABELS, ids=IDS)
def labels(request: pytest.FixtureRequest) -> list[str]:
    """What the rows are called."""
    return ["1", "2", "3", "4"] if request.param is None else [str(label) for label in request.param]


@pytest.fixture
def put(request: pytest.FixtureRequest, tmp_path: Path) -> Put:
    """Return rows as a frame with the labels, or as a file."""
    index = request.node.callspec.params["labels"]

    def make(**columns: list[Any]) -> Any:
        frame = pd.DataFrame(columns)
        if index is None:
            path = tmp_path / f"{len(list(tmp_path.iterdir()))}.csv"
            frame.to_csv(path, index=False)
            return path
        return frame.set_index(pd.Index(list(index)[: len(frame)]))

    return make


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[t1.Client]:
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path_factory.mktemp("runs")))
    with t1.Sandbox(seed=1) as sandbox:
        sandbox.load({"campaigns": [{"id": 45, "name": "Friends", "features": ["referrals"]}]})
        with t1.Client(sandbox.base_url, sandbox.api_key, rate=None) as made:
            yield made


def test_of_equal_rows_the_one_that_stands_for_another(client: t1.Client, put: Put, labels: list[str]) -> None:
    people = put(integration_id=["x", "y", "x"], Name=["Ada", "Eve", "Ada"])
    run = t1.upsert_profiles(client, people, progress=False)
    assert run.outcomes["message"].tolist()[2] == f"the same as row {labels[0]}, which stands for it"


def test_of_rows_that_contradict_each_other_the_other(client: t1.Client, put: Put, labels: list[str]) -> None:
    people = put(integration_id=["x", "y", "x"], Name=["Ada", "Eve", "Grace"])
    said = f"The id stands in more than one row: row {labels[2]} has the same integration_id and other values."
    assert t1.plan_upsert(client, people).problems["message"].tolist()[0] == said
    run = t1.upsert_profiles(client, people, progress=False)
    assert run.outcomes["message"].tolist()[0] == said
    advocates = put(integration_id=["x", "y", "x"], usage_limit=[1, 1, 2])
    codes = t1.create_referrals(client, advocates, campaign_id=45, duplicates="reject", progress=False)
    assert codes.outcomes["message"].tolist()[0] == said


def test_a_journal_holds_positions_and_no_label(client: t1.Client, tmp_path: Path) -> None:
    index = pd.Index(["ada@example.com", "eve@example.com", "also ada"])
    people = pd.DataFrame({"integration_id": ["x", "y", "x"], "Name": ["Ada", "Eve", "Grace"]}, index=index)
    run = t1.upsert_profiles(client, people, progress=False)
    assert "row ada@example.com has" in run.outcomes["message"].iloc[2]
    with closing(sqlite3.connect(run.journal)) as db:
        kept = "".join(db.iterdump())
    assert "has the same integration_id" in kept
    assert "ada" not in kept
    assert "row 1 has" in t1.open_run(run.id).outcomes["message"].tolist()[2]


def test_ids_that_look_damaged_and_those_that_look_alike(client: t1.Client, put: Put, labels: list[str]) -> None:
    damaged = put(integration_id=["x", "1.23E+10", "y", "4.56E+11"], Name=["n"] * 4)
    with pytest.raises(t1.errors.InputError, match=rf"\(rows {labels[1]}, {labels[3]}\)"):
        t1.plan_upsert(client, damaged)
    with pytest.raises(t1.errors.InputError, match=rf"\(rows {labels[1]}, {labels[3]}\)"):
        t1.plan_erasure(client, damaged)
    alike = t1.plan_upsert(client, put(integration_id=["Anna", "bob", "anna"], Name=["n"] * 3))
    assert f"(rows {labels[0]} and {labels[2]})" in str(alike)


def test_sessions_whose_lines_do_not_follow_from_each_other(client: t1.Client, put: Put, labels: list[str]) -> None:
    lines = put(
        session_id=["s", "s", "s", "t"],
        integration_id=["x", "x", "x", "y"],
        state=["cancelled", "closed", "open", "open"],
    )
    told = [
        f"The session cannot go from cancelled (row {labels[0]}) to closed.",
        f"An earlier line of the same session cannot be sent, so this one would say something else: row {labels[1]}.",
    ]
    assert t1.plan_sessions(client, lines).problems["message"].tolist() == told
    run = t1.update_sessions(client, lines, progress=False)
    assert run.outcomes["message"].tolist()[1:3] == told


def test_a_session_or_an_event_of_another_customer(client: t1.Client, put: Put, labels: list[str]) -> None:
    said = f"The session belongs to another customer: row {labels[0]} names that one."
    lines = put(session_id=["s", "s"], integration_id=["x", "y"], state=["open", "open"])
    assert t1.plan_sessions(client, lines).problems["message"].tolist() == [said]
    events = put(session_id=["s", "s"], integration_id=["x", "y"], type=["seen", "seen"])
    run = t1.track_events(client, events, version=1, progress=False)
    assert run.outcomes["message"].tolist()[1] == said


def test_items_are_told_by_the_labels_of_their_own_input(client: t1.Client, put: Put, labels: list[str]) -> None:
    lines = pd.DataFrame({"session_id": ["s"], "integration_id": ["x"]}, index=["only"])
    items = put(session_id=["s"] * 3, name=["n"] * 3, sku=["A", "B", "A"], quantity=[1] * 3, price=[1] * 3)
    reason = f"the item in row {labels[2]}. The session has this very item already: row {labels[0]} says the same."
    problems = t1.plan_sessions(client, lines, items).problems
    assert reason in problems.set_index("input")["message"]["sessions"]
    assert f"row {labels[0]} says the same" in problems.set_index("input")["message"]["items"]
    assert problems["row"].map(str).tolist() == ["only", labels[2]]
    run = t1.update_sessions(client, lines, items, progress=False)
    assert reason in run.outcomes["message"]["only"]
    strangers = put(session_id=["s", "t", "t"], name=["n"] * 3, sku=["A"] * 3, quantity=[1] * 3, price=[1] * 3)
    with pytest.raises(t1.errors.InputError, match=rf"\(rows {labels[1]}, {labels[2]}\)"):
        t1.update_sessions(client, lines, strangers)


def test_actions_that_contradict_each_other(client: t1.Client, put: Put, labels: list[str]) -> None:
    plan = put(integration_id=["x", "y", "x"], action=["add", "add", "delete"], audience_id=[1, 1, 1])
    run = t1.apply_audience(client, plan, undoable=False, progress=False)
    assert run.outcomes["message"].tolist()[2].endswith(f"taken out of it: see row {labels[0]}.")
