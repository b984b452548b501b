"""A file's encoding, delimiter and sheet can be said wherever rows are read from a file."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from shell import Shell

import t1data as t1
from t1data.sandbox import Reset

ROWS = {"data", "ids", "codes", "advocates", "sessions", "events", "before", "audiences", "plan", "after"}
KNOW_THEM = {  # the run's journal says how its file was read
    *("open_run", "reconcile", "resume", "undo_upsert"),
}
FUNCTIONS = {name: each for name in t1.__all__ if inspect.isfunction(each := getattr(t1, name))}
READERS = [
    name
    for name, function in FUNCTIONS.items()
    if ROWS & inspect.signature(function).parameters.keys() and name not in KNOW_THEM
]


@pytest.mark.parametrize("name", READERS)
def test_every_function_that_reads_rows_takes_the_words_that_messages_advise(name: str) -> None:
    assert {"encoding", "delimiter", "sheet"} <= inspect.signature(FUNCTIONS[name]).parameters.keys()


def test_the_functions_that_were_told_nothing_of_files_are_among_them() -> None:
    assert {"fetch_inventories", "fetch_reservations", "plan_reservations", "reserve_coupons"} <= set(READERS)
    assert {"release_coupons", "plan_erasure", "erase_customers", "verify_evidence", "purge_people"} <= set(READERS)


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[t1.Sandbox]:
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)
    with t1.Sandbox(seed=1) as running:
        coupons = [{"value": "GRÜN"}]
        campaigns = [{"id": 1, "name": "Summer", "features": ["coupons"], "coupons": coupons}]
        profiles = [{"integration_id": name, "attributes": {"Name": name}} for name in ("Jürgen", "ada", "eve")]
        running.load({"campaigns": campaigns, "profiles": profiles})
        monkeypatch.setenv("T1DATA_BASE_URL", running.base_url)
        monkeypatch.setenv("T1DATA_API_KEY", running.api_key)
        yield running


@pytest.fixture
def client(sandbox: t1.Sandbox) -> t1.Client:
    return t1.Client(sandbox.base_url, sandbox.api_key)


def text_file(name: str = "rows.csv") -> Path:
    Path(name).write_bytes("integration_id;coupon\nJürgen;GRÜN\nada;GRÜN\n".encode("cp1252"))
    return Path(name)


def workbook() -> Path:
    with pd.ExcelWriter("rows.xlsx", engine="xlsxwriter") as book:
        pd.DataFrame({"integration_id": ["nobody"], "coupon": ["NONE"]}).to_excel(book, sheet_name="Old", index=False)
        pd.DataFrame({"integration_id": ["ada", "eve"], "coupon": ["GRÜN"] * 2}).to_excel(
            book, sheet_name="New", index=False
        )
    return Path("rows.xlsx")


FILES: list[tuple[Any, dict[str, str], list[str]]] = [
    (text_file, {"encoding": "cp1252", "delimiter": ";"}, ["Jürgen", "ada"]),
    (workbook, {"sheet": "New"}, ["ada", "eve"]),
]


@pytest.mark.parametrize(("write", "words", "names"), FILES)
def test_coupons_are_reserved_from_it_and_found_by_it(
    client: t1.Client, write: Any, words: dict[str, str], names: list[str]
) -> None:
    path = write()
    assert t1.plan_reservations(client, path, **words).ready == 2
    run = t1.reserve_coupons(client, path, **words, progress=False)
    assert t1.open_run(run.id).outcomes["integration_id"].tolist() == names
    holders = t1.fetch_reservations(client, path, **words, progress=False)
    assert sorted(t1.open_run(holders.id).goods("holders")["integration_id"]) == sorted(names)
    assert t1.release_coupons(client, path, **words, progress=False).counts["accepted"] == 2


@pytest.mark.parametrize(("write", "words", "names"), FILES)
def test_customers_of_it_are_read_erased_verified_and_purged(
    client: t1.Client, write: Any, words: dict[str, str], names: list[str]
) -> None:
    path = write()
    stock = t1.fetch_inventories(client, path, **words, progress=False)
    assert stock.profiles["integration_id"].tolist() == names
    assert t1.plan_erasure(client, path, **words).customers == 2
    run = t1.erase_customers(client, path, confirm=2, **words, progress=False)
    assert t1.verify_evidence(run, ids=path, **words).proves_all
    found = t1.purge_people(path, **words)
    assert found.set_index("file")["removed"][str(stock.run.journal)] == 2


@pytest.mark.parametrize(("write", "words", "names"), FILES)
def test_a_run_that_was_stopped_goes_on_by_what_its_journal_says_of_the_file(
    sandbox: t1.Sandbox, client: t1.Client, write: Any, words: dict[str, str], names: list[str]
) -> None:
    path = write()
    sandbox.faults.add(Reset(), on="create_coupon_reservation")
    begun = t1.reserve_coupons(client, path, **words, progress=False)
    assert begun.counts["accepted"] == 0
    sandbox.faults.clear()
    assert t1.resume(client, begun.id, progress=False).counts["accepted"] == 2


def test_words_for_ids_that_were_not_given_are_refused(client: t1.Client) -> None:
    run = t1.erase_customers(client, ["ada"], confirm=1, progress=False)
    with pytest.raises(t1.errors.InputError, match="it was not given"):
        t1.verify_evidence(run, sheet="New")


def test_the_command_line_says_them_too(sandbox: t1.Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    shell, words = Shell(capsys), ("--encoding", "cp1252", "--delimiter", ";")
    file = str(text_file())
    assert shell("coupons", "reserve", file, *words).code == 0
    assert shell("customers", "erase", file, *words, "--confirm", "2", "--evidence", "proof.jsonl").code == 0
    assert shell("customers", "verify", "proof.jsonl", "--ids", file, *words).code == 0
    assert shell("customers", "purge", file, *words).code == 0


@pytest.mark.parametrize(("write", "words", "names"), FILES)
def test_members_before_a_run_on_an_audience_come_from_it(
    sandbox: t1.Sandbox, client: t1.Client, write: Any, words: dict[str, str], names: list[str]
) -> None:
    sandbox.load({"audiences": [{"id": 1, "name": "Regulars"}]})
    plan = pd.DataFrame({"integration_id": [*names, "new"], "action": "add", "audience_id": 1})
    plan.to_csv("plan.csv", index=False)
    run = t1.apply_audience(client, "plan.csv", progress=False)
    path = write()
    assert t1.plan_undo(client, run.id, before=path, **words)["integration_id"].tolist() == ["new"]
    assert t1.undo_audience(client, run.id, before=path, **words, progress=False).counts["accepted"] == 1
    with pytest.raises(t1.errors.InputError, match="before is read, and it was not given"):
        t1.plan_undo(client, run.id, **words)


def test_the_command_line_reads_members_before_a_run_alike(
    sandbox: t1.Sandbox, client: t1.Client, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.load({"audiences": [{"id": 1, "name": "Regulars"}]})
    pd.DataFrame({"integration_id": ["ada", "new"], "action": "add", "audience_id": 1}).to_csv("plan.csv", index=False)
    run = t1.apply_audience(client, "plan.csv", progress=False)
    words = ("--before", str(text_file()), "--encoding", "cp1252", "--delimiter", ";")
    done = Shell(capsys)("audiences", "undo", run.id, *words, "--dry-run")
    assert done.code == 0
    assert "1 row, 0 to add, 1 to take out" in done.err
