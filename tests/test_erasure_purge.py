"""People who were erased leave what older runs have left on this machine, and nobody else does."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import t1data as t1
from t1data.erasure.scrub import scrubber
from t1data.journal.store import Journal
from t1data.sandbox import Sandbox

GONE = ["canary-ada-7731", "canary zoë/%2F-99"]
STAYS = ["bob-55", "cyd-66"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        running.load(
            {
                "campaigns": [{"id": 45, "name": "Friends", "features": ["referrals"]}],
                "audiences": [{"id": 748, "name": "Regulars"}],
                "attributes": [{"entity": "CustomerProfile", "name": "Name", "type": "string"}],
            }
        )
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[t1.Client]:
    with t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key, rate=None) as made:
        yield made


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def sightings(folder: Path) -> list[str]:
    """Files in which one of those who are gone stands, as it is or as JSON writes it."""
    forms = [form for id_ in GONE for form in (id_.encode(), json.dumps(id_).encode()[1:-1], id_.encode("utf-16-le"))]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(form in path.read_bytes() for form in forms)]


def test_after_an_erasure_and_a_purge_nothing_on_the_disk_names_them(client: t1.Client, runs: Path) -> None:
    everybody = pd.DataFrame({"integration_id": [*GONE, *STAYS], "Name": ["A", "Z", "B", "C"]})
    upsert = t1.upsert_profiles(client, everybody)
    codes = t1.create_referrals(client, everybody["integration_id"], campaign_id=45)
    plan = everybody[["integration_id"]].assign(action="add", audience_id=748)
    joined = t1.apply_audience(client, plan)
    upsert.write_outcomes(runs / "outcomes.csv")
    codes.write_outcomes(runs / "outcomes.parquet")
    before = codes.codes.set_index("integration_id")["code"].to_dict()
    assert len(sightings(runs)) == 3

    erased = t1.erase_customers(client, GONE, confirm=2)
    found = t1.purge_people(GONE)

    assert sightings(runs) == []
    assert found["note"].isna().all()
    removed = dict(zip(found["file"].map(lambda name: Path(name).name), found["removed"], strict=True))
    assert removed["outcomes.csv"] == removed["outcomes.parquet"] == removed[f"{joined.journal.name}.marks"] == 2
    assert removed[codes.journal.name] == 1
    assert codes.counts == t1.open_run(codes.id, data=everybody["integration_id"]).counts
    assert codes.codes.set_index("integration_id")["code"].to_dict() == {id_: before[id_] for id_ in STAYS}
    assert codes.outcomes["outcome"].tolist() == ["accepted"] * 4
    assert t1.verify_evidence(erased, ids=GONE).proves_all
    assert pd.read_csv(runs / "outcomes.csv", dtype=str)["integration_id"].tolist() == STAYS
    assert pd.read_parquet(runs / "outcomes.parquet")["integration_id"].tolist() == STAYS
    assert t1.plan_undo(client, joined)["integration_id"].tolist() == STAYS
    again = t1.purge_people(GONE)
    assert again["removed"].sum() == 0


def test_a_purged_journal_is_whole_and_one_file(client: t1.Client, runs: Path) -> None:
    many = [f"canary-{n:04}" for n in range(300)]
    run = t1.create_referrals(client, [*many, *STAYS], campaign_id=45)
    size = run.journal.stat().st_size
    t1.purge_people(many)
    assert run.journal.stat().st_size < size / 2
    db = sqlite3.connect(run.journal)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert db.execute("PRAGMA freelist_count").fetchone() == (0,)
    db.close()
    assert [path.name for path in runs.iterdir()] == [run.journal.name]
    assert run.journal.stat().st_mode & 0o777 == 0o600


def test_a_journal_that_is_in_use_stays_and_is_named(client: t1.Client, runs: Path) -> None:
    run = t1.create_referrals(client, GONE, campaign_id=45)
    with Journal(run.journal):
        found = t1.purge_people(GONE)
    assert found["removed"].isna().tolist() == [True]
    assert "in use" in found["note"][0]
    assert sightings(runs) == [run.journal.name]
    assert t1.purge_people(GONE)["removed"].tolist() == [1]


def test_a_file_that_is_no_journal_or_is_damaged_is_named_and_the_others_are_purged(
    client: t1.Client, runs: Path
) -> None:
    run = t1.create_referrals(client, GONE, campaign_id=45)
    (runs / "a.sqlite").write_bytes(b"")
    (runs / "b.sqlite").write_bytes(b"SQLite format 3\0" + b"x" * 3000)
    (runs / "c.csv").write_text("no,outcome\n1,accepted\n")
    (runs / "d.csv").write_bytes(b"integration_id\n\xff\xfe\n")
    (runs / "e.parquet").write_bytes(b"PAR1")
    before = {path.name: path.read_bytes() for path in runs.iterdir()}
    found = t1.purge_people(GONE).set_index("file")
    assert found["note"].notna().sum() == 5
    assert found.loc[str(run.journal), "removed"] == 1
    assert {path.name: path.read_bytes() for path in runs.iterdir() if path != run.journal} == {
        name: content for name, content in before.items() if name != run.journal.name
    }


def test_other_rows_of_a_text_file_keep_their_bytes(runs: Path, tmp_path: Path) -> None:
    text = (
        '\ufeff"no",outcome,"note"\r\n007,accepted,"a, ""b""\r\nc"\r\n'
        '"canary-ada-7731",refused,"x\r\n007"\r\n  7,accepted,canary-ada-77310\r\n'
    )
    (tmp_path / "failed.csv").write_text(text, encoding="utf-8", newline="")
    found = t1.purge_people(GONE, also=[tmp_path / "failed.csv"])
    assert "no column" in found["note"][0]
    people = pd.DataFrame({"no": GONE})
    assert t1.purge_people(people, id="no", also=[tmp_path / "failed.csv"])["removed"].tolist() == [1]
    left = (tmp_path / "failed.csv").read_bytes().decode()
    assert left == text.replace('"canary-ada-7731",refused,"x\r\n007"\r\n', "")


def test_answers_that_name_nobody_go_by_the_input_or_it_is_said(client: t1.Client, runs: Path, tmp_path: Path) -> None:
    everybody = pd.DataFrame({"integration_id": [*STAYS, *GONE]})
    t1.upsert_profiles(client, everybody.assign(Name="canary-name"))
    t1.create_referrals(client, everybody["integration_id"], campaign_id=45, journal=tmp_path / "codes.sqlite")
    everybody.to_csv(tmp_path / "ids.csv", index=False)
    told = t1.fetch_inventories(client, tmp_path / "ids.csv", include=["loyalty"])
    from_memory = t1.fetch_inventories(client, everybody, include=["loyalty"])
    found = t1.purge_people(GONE).set_index("file")
    assert found.loc[str(told.run.journal), "removed"] == 2
    assert pd.isna(found.loc[str(told.run.journal), "note"])
    assert "purge the whole run" in found.loc[str(from_memory.run.journal), "note"]
    answers = [body for _, body in told.run.raw_answers()]
    assert answers[2:] == [b"{}", b"{}"]
    assert b"{}" not in answers[:2]


def test_what_is_named_elsewhere_is_purged_too_and_what_is_not_there_is_said(
    client: t1.Client, runs: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    run = t1.create_referrals(client, GONE, campaign_id=45, journal=tmp_path / "elsewhere" / "run.sqlite")
    assert t1.purge_people(GONE).empty
    assert t1.purge_people(GONE, also=[tmp_path / "elsewhere"])["removed"].tolist() == [1]
    assert run.codes.empty
    with pytest.raises(t1.errors.InputError, match="there is no"):
        t1.purge_people(GONE, also=[tmp_path / "nowhere"])
    with pytest.raises(t1.errors.InputError, match="no rows"):
        t1.purge_people([])


def test_a_file_that_is_named_and_cannot_be_purged_is_not_passed_over(runs: Path, tmp_path: Path) -> None:
    book = tmp_path / "codes.xlsx"
    book.write_bytes(b"PK")
    (told,) = t1.purge_people(GONE, also=[book]).to_dict("records")
    assert (told["file"], told["kind"], "delete this one" in told["note"]) == (str(book), "other", True)
    assert pd.isna(told["removed"])
    assert t1.purge_people(GONE, also=[tmp_path]).empty


# --- what is taken out of an answer -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ({"data": [{"advocate": "ada"}, {"advocate": "bob"}]}, {"data": [{"advocate": "bob"}]}),
        ({"data": [{"profile": {"integrationId": "ada"}, "x": 1}]}, {"data": []}),
        ({"profile": {"integrationId": "ada", "attributes": {"Name": "A"}}}, {}),
        ({"data": ["ada", "bob"]}, {"data": ["bob"]}),
        ({"data": {"ada": 1, "bob": 2}}, {"data": {"bob": 2}}),
        (
            {"data": [{"advocate": "bob", "friendProfileIntegrationId": "ada"}]},
            {"data": [{"advocate": "bob", "friendProfileIntegrationId": "…"}]},
        ),
        ({"data": [{"advocate": "bob", "code": "ada-1"}]}, {"data": [{"advocate": "bob", "code": "ada-1"}]}),
        ({"data": [{"advocate": "bob", "n": 1.10}]}, {"data": [{"advocate": "bob", "n": 1.10}]}),
        (["ada", "bob"], {}),
        ([], []),
        ("ada", {}),
    ],
)
def test_what_names_somebody_goes_whole_and_the_rest_stays(answer: Any, left: Any) -> None:
    body = json.dumps(answer).encode()
    assert json.loads(scrubber(["ada"])(body)) == left
    if answer == left:
        assert scrubber(["ada"])(body) == body  # to the byte


def test_numbers_of_others_are_not_bent() -> None:
    body = b'{"data":[{"who":"ada"},{"who":"bob","n":1.10,"big":12345678901234567890.123,"e":1e400}]}'
    assert scrubber(["ada"])(body) == b'{"data":[{"who":"bob","n":1.10,"big":12345678901234567890.123,"e":1E+400}]}'


def test_a_long_id_goes_from_inside_other_texts_too() -> None:
    body = json.dumps({"data": [{"who": "bob", "note": "sent by canary-ada-7731.", "code": "XCANARY"}]}).encode()
    assert json.loads(scrubber(GONE)(body)) == {"data": [{"who": "bob", "note": "sent by ….", "code": "XCANARY"}]}


@pytest.mark.parametrize(
    "body", [b'{"data": [{"a": "canary-ada-7731"', b"<p>canary-ada-7731</p>", b"\xffcanary-ada-7731"]
)
def test_an_answer_that_cannot_be_read_goes_whole_when_it_names_somebody(body: bytes) -> None:
    assert scrubber(GONE)(body) == b""
    assert scrubber(STAYS)(body) == body


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["canary-ada-7731", "bob", "x canary-ada-7731 y", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "friendId", "canary-ada-7731", "n"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(answer=JSON)
def test_nothing_that_can_be_read_names_them_afterwards(answer: Any) -> None:
    left = scrubber(GONE)(json.dumps(answer).encode())
    assert b"canary-ada-7731" not in left
    json.loads(left)
