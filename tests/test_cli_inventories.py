"""``t1data inventories`` from the shell."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from shell import Shell

import t1data as t1
from t1data.cli import cli
from t1data.cli.inventories import FETCHING
from t1data.cli.options import SENDING


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[t1.Sandbox]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))
    with t1.Sandbox(seed=1) as running:
        monkeypatch.setenv("T1DATA_BASE_URL", running.base_url)
        monkeypatch.setenv("T1DATA_API_KEY", running.api_key)
        running.load({"profiles": [{"integration_id": f"{n:03}", "attributes": {"Name": f"N{n}"}} for n in range(5)]})
        Path("ids.csv").write_text("integration_id\n000\n001\nnobody\n")
        yield running


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def test_options_and_parameters_are_the_same_in_both_directions() -> None:
    fed = {row.parameter for row in (*FETCHING, *SENDING)}
    known = set(inspect.signature(t1.fetch_inventories).parameters)
    assert known == fed | {"client", "ids", "control"}
    assert "fetch" in cli.commands["inventories"].commands  # type: ignore[attr-defined]


def test_a_file_of_ids_becomes_a_folder_of_tables(shell: Shell, sandbox: t1.Sandbox) -> None:
    done = shell("inventories", "fetch", "ids.csv", "--to", "stock", "--include", "profile", "--rate", "none")
    assert done.code == 3
    assert done.last["accepted"] == 2
    assert done.last["refused"] == 1
    assert pd.read_parquet("stock/profiles.parquet")["integration_id"].tolist() == ["000", "001"]
    assert pd.read_parquet("stock/outcomes.parquet")["reason"].tolist()[-1] == "not_found"


def test_without_a_folder_or_over_files_that_are_there_nothing_is_read(shell: Shell, sandbox: t1.Sandbox) -> None:
    assert shell("inventories", "fetch", "ids.csv").code == 2
    Path("stock").mkdir()
    Path("stock/coupons.parquet").write_bytes(b"mine")
    done = shell("inventories", "fetch", "ids.csv", "--to", "stock")
    assert done.code == 2
    assert "--overwrite" in done.err
    assert not list(sandbox.requests)
