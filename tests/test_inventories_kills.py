"""Inventories whose process is killed, again and again: in the end everybody is there, once."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

import t1data as t1
from t1data.journal.runs import read_run

IDS = [f"c{number}" for number in range(300)]
GONE = ["nobody-1", "nobody-2"]

FETCH = """
import os, signal, sys
import t1data as t1
base_url, key, most = sys.argv[1], sys.argv[2], int(sys.argv[3])
told = 0
def progress(_):
    global told
    told += 1
    if told >= most:
        os.kill(os.getpid(), signal.SIGKILL)
with t1.Client(base_url, key, rate=None) as client:
    t1.fetch_inventories(
        client, "ids.csv", include=["profile"], to="stock", overwrite=True, journal="run.sqlite", connections=4,
        progress=progress,
    )
"""


@pytest.fixture
def sandbox() -> Iterator[t1.Sandbox]:
    with t1.Sandbox() as running:
        running.load({"profiles": [{"integration_id": each, "attributes": {"Name": each}} for each in IDS]})
        yield running


def test_a_fetch_that_is_killed_again_and_again_has_everybody_once_in_the_end(
    sandbox: t1.Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "ids.csv").write_text("\n".join(["integration_id", *IDS[:150], *GONE, *IDS[150:], ""]))
    killed = 0
    for most in (1, 40, 90, 170, 10_000):
        command = [sys.executable, "-c", FETCH, sandbox.base_url, sandbox.api_key, str(most)]
        died = subprocess.run(command, cwd=tmp_path, check=False, timeout=120).returncode
        killed += died == -signal.SIGKILL
        rest = read_run(tmp_path / "run.sqlite")
        assert sum(rest.counts.values()) == rest.rows == len(IDS) + len(GONE)
        assert set(rest.outcomes["outcome"]) <= {"accepted", "refused", "unsent", "in_doubt"}
        assert not (died and list(tmp_path.glob("stock/*.parquet")))  # nothing of a half run looks like a whole one
    assert killed >= 3
    assert rest.counts == {"accepted": len(IDS), "invalid": 0, "refused": len(GONE), "unsent": 0, "in_doubt": 0}
    profiles = pd.read_parquet(tmp_path / "stock" / "profiles.parquet")
    assert profiles["integration_id"].tolist() == IDS
    assert profiles["attributes.Name"].tolist() == IDS
    assert {path.suffix for path in (tmp_path / "stock").iterdir()} == {".parquet"}
    with closing(sqlite3.connect(tmp_path / "run.sqlite")) as journal:
        kept = journal.execute("SELECT count(*) FROM answer GROUP BY batch").fetchall()
    assert kept == [(1,)] * len(IDS)
