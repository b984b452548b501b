"""Inventories that were stopped in one process, and gone on with in another: the folder is written all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from shell import Shell, variables

import t1data as t1
from t1data.errors import InputError
from t1data.sandbox import Status

INVENTORY = "get_customer_inventory"
IDS = [f"c{number}" for number in range(6)]


@pytest.fixture
def sandbox() -> Iterator[t1.Sandbox]:
    with t1.Sandbox() as running:
        running.load({"profiles": [{"integration_id": each, "attributes": {"Name": each}} for each in IDS]})
        yield running


@pytest.fixture
def client(sandbox: t1.Sandbox) -> Iterator[t1.Client]:
    with t1.Client(sandbox.base_url, sandbox.api_key, rate=None) as made:
        yield made


@pytest.fixture
def shell(
    sandbox: t1.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    for name, value in variables(sandbox, tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    Path("ids.csv").write_text("\n".join(["integration_id", *IDS, ""]))
    return Shell(capsys)


def stopped(client: t1.Client, sandbox: t1.Sandbox, ids: object, **given: object) -> t1.Run:
    sandbox.faults.add(Status(401), on=INVENTORY, nth=3)
    stock = t1.fetch_inventories(client, ids, include=["profile"], connections=1, progress=False, **given)
    sandbox.faults.clear()
    assert stock.run.counts["unsent"] > 0
    return stock.run


def profiles(folder: str) -> int:
    return len(pd.read_parquet(f"{folder}/profiles.parquet"))


def test_a_resume_writes_the_folder_that_the_run_was_told(
    shell: Shell, client: t1.Client, sandbox: t1.Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = stopped(client, sandbox, str(tmp_path / "ids.csv"), to="stock")
    assert profiles("stock") == 2
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert t1.resume(client, run.id, progress=False).complete
    assert profiles(str(tmp_path / "stock")) == 6
    assert len(pd.read_parquet(tmp_path / "stock" / "outcomes.parquet")) == 6
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_shell_writes_it_too_and_says_where(shell: Shell, client: t1.Client, sandbox: t1.Sandbox) -> None:
    run = stopped(client, sandbox, "ids.csv", to="stock")
    done = shell("runs", "resume", run.id, "--rate", "none")
    assert done.code == 0
    assert f"Tables    {Path('stock').absolute()}" in done.err
    assert profiles("stock") == 6


def test_where_no_folder_was_told_the_tables_are_had_without_reading_again(
    shell: Shell, client: t1.Client, sandbox: t1.Sandbox
) -> None:
    run = stopped(client, sandbox, "ids.csv")
    done = shell("runs", "resume", run.id, "--rate", "none")
    assert done.code == 0
    assert f"inventories fetch FILE --journal {run.journal} --to FOLDER" in done.err
    assert t1.open_run(run.id).goods("profiles")["integration_id"].tolist() == IDS
    sandbox.requests.clear()
    words = ("ids.csv", "--journal", run.journal, "--to", "stock", "--include", "profile", "--rate", "none")
    assert shell("inventories", "fetch", *words).code == 0
    assert not sandbox.requests.of(INVENTORY)
    assert profiles("stock") == 6


def test_a_folder_that_has_become_a_file_is_told_before_anything_is_read(
    shell: Shell, client: t1.Client, sandbox: t1.Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    run = stopped(client, sandbox, "ids.csv", to="there/stock")
    for path in (tmp_path / "there" / "stock").iterdir():
        path.unlink()
    (tmp_path / "there" / "stock").rmdir()
    (tmp_path / "there" / "stock").touch()
    sandbox.requests.clear()
    with pytest.raises(InputError, match="is a file; name a folder"):
        t1.resume(client, run.id, progress=False)
    assert not sandbox.requests.of(INVENTORY)
