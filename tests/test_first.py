"""One row first, to see what a run would do to all of them; the same run goes on with the others."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import t1data as t1
from t1data.bulk.batches import EncodedRows
from t1data.bulk.cutting import up_to
from t1data.bulk.run import ONLY_FIRST
from t1data.journal.records import Line

UPSERT, CREATE = "update_customer_profiles_v2", "create_referrals_for_multiple_advocates"
INVENTORY = "get_customer_inventory"


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[t1.Sandbox]:
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))
    with t1.Sandbox() as running:
        declared = [{"name": n, "entity": "CustomerProfile", "type": "string"} for n in ("Name", "Code")]
        campaign = {"id": 45, "name": "Friends", "features": ["referrals"]}
        running.load({"attributes": declared, "campaigns": [campaign]})
        yield running


@pytest.fixture
def client(sandbox: t1.Sandbox) -> Iterator[t1.Client]:
    with t1.Client(sandbox.base_url, sandbox.api_key, rate=None) as made:
        yield made


def sent(sandbox: t1.Sandbox, operation: str = UPSERT) -> list[Any]:
    return [json.loads(seen.body) for seen in sandbox.requests.of(operation) if seen.body]


def test_the_first_row_that_can_be_sent_is_sent_as_all_would_be_and_a_resume_sends_the_others(
    client: t1.Client, sandbox: t1.Sandbox, tmp_path: Path
) -> None:
    file = tmp_path / "p.csv"
    file.write_text("integration_id,Name,Code\n x,Bad,1\na,Ada,12\nb,Grace,text\n y,Bad,1\n")
    run = t1.upsert_profiles(client, file, control=t1.Control(first=1), progress=False)
    assert sent(sandbox) == [
        {"customerProfiles": [{"integrationId": "a", "attributes": {"Name": "Ada", "Code": "12"}}]}
    ]
    assert run.counts == {"accepted": 1, "invalid": 1, "refused": 0, "unsent": 2, "in_doubt": 0}
    assert run.stopped == ONLY_FIRST
    run = t1.resume(client, run.id, progress=False)
    assert run.counts == {"accepted": 2, "invalid": 2, "refused": 0, "unsent": 0, "in_doubt": 0}
    assert run.stopped is None
    assert [len(body["customerProfiles"]) for body in sent(sandbox)] == [1, 1]


@pytest.mark.parametrize("terms", [{}, {"usage_limit": [1, 2, 1]}], ids=["terms of all", "terms of each"])
def test_a_code_that_was_made_first_is_not_made_again(
    client: t1.Client, sandbox: t1.Sandbox, terms: dict[str, Any]
) -> None:
    advocates = pd.DataFrame({"integration_id": ["ada", "grace", "alan"], **terms})
    run = t1.create_referrals(client, advocates, campaign_id=45, control=t1.Control(first=1), progress=False)
    assert run.codes["integration_id"].tolist() == ["ada"]
    first = run.codes["code"].tolist()
    run = t1.resume(client, run.id, data=advocates, progress=False)
    assert run.complete
    assert sorted(run.codes["integration_id"]) == ["ada", "alan", "grace"]
    assert set(first) < set(run.codes["code"])
    asked = Counter(name for body in sent(sandbox, CREATE) for name in body["advocateProfileIntegrationIds"])
    assert set(asked.values()) == {1}


def test_what_is_read_ahead_of_a_run_is_read_whole(client: t1.Client, sandbox: t1.Sandbox) -> None:
    people = pd.DataFrame({"integration_id": ["a", "b", "c"], "Name": ["Ada", "Bob", "Cy"]})
    t1.upsert_profiles(client, people.head(1), progress=False)
    sandbox.requests.clear()
    run = t1.upsert_profiles(client, people, only_changed=True, control=t1.Control(first=1), progress=False)
    assert len(sandbox.requests.of(INVENTORY)) == 3
    assert [each["integrationId"] for body in sent(sandbox) for each in body["customerProfiles"]] == ["b"]
    assert (run.counts["accepted"], run.counts["unsent"]) == (2, 1)


def test_a_run_of_fewer_rows_is_complete_and_was_not_stopped(client: t1.Client) -> None:
    ada = pd.DataFrame({"integration_id": ["a"], "Name": ["Ada"]})
    run = t1.upsert_profiles(client, ada, control=t1.Control(first=1), progress=False)
    assert (run.complete, run.stopped) == (True, None)


@pytest.mark.parametrize("first", [0, -1, True, 1.0, "1"])
def test_a_number_that_is_none_is_refused(first: Any) -> None:
    with pytest.raises(t1.errors.InputError, match="valid is a whole number of rows"):
        t1.Control(first=first)


ROWS = st.lists(st.sampled_from(["row", "line", "cut"]), max_size=30)


@given(ROWS, st.integers(1, 12))
def test_so_many_rows_are_left_and_the_lines_before_the_last_of_them(kinds: list[str], most: int) -> None:
    chunks: list[EncodedRows] = []
    rows, lines, at = [], [], 0
    for kind in [*kinds, "cut"]:
        if kind == "cut":
            pieces = pa.array([b"{},"] * len(rows), pa.binary())
            chunks.append(EncodedRows(np.array(rows, dtype=np.int64), pieces, lines, at))
            rows, lines = [], []
        else:
            (rows if kind == "row" else lines).append(at if kind == "row" else Line(at, "bad"))
            at += 1
    every = [row for chunk in chunks for row in chunk.rows.tolist()]
    left = list(up_to(chunks, most))
    assert [row for chunk in left for row in chunk.rows.tolist()] == every[:most]
    stop = every[most - 1] + 1 if len(every) >= most else at
    kept = [line.row for chunk in left for line in chunk.lines]
    assert kept == [line.row for chunk in chunks for line in chunk.lines if line.row < stop]
    assert not left or left[-1].stop == stop
