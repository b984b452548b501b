"""Evidence that names nobody, says who was erased to who has the id, and shows every change to it."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fault_server import Caller, FaultServer, answer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import t1data as t1
from t1data.sandbox import Sandbox

IDS = ["ada", "bob", "nobody", "zoë/%2F"]
MISSING = answer(404, {"message": "Profile does not exist", "errors": [], "StatusCode": 404})


def server_of_ids(caller: Caller) -> bool:
    """Erase everybody but one who is not there; the date is always the same."""
    if "nobody" in caller.entry.target:
        return MISSING(caller)
    headers = {"Date": "Tue, 24 Nov 2026 10:11:12 GMT"}
    if caller.entry.method == "DELETE":
        return answer(204, None, headers)(caller)
    return answer(200, {"profile": {"attributes": {}, "sandbox": False}}, headers)(caller)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[t1.Run]:
    folder = tmp_path_factory.mktemp("evidence")
    with FaultServer(server_of_ids) as server, t1.Client(server.url, "0123456789abcdef", rate=None) as client:
        yield t1.erase_customers(client, [*IDS, "ada"], confirm=4, operator="Ada L.", journal=folder / "run.sqlite")


@pytest.fixture(scope="module")
def lines(run: t1.Run) -> list[bytes]:
    return t1.verify_evidence(run).path.read_bytes().splitlines(keepends=True)


def test_every_line_says_what_an_authority_asks_for(run: t1.Run, lines: list[bytes]) -> None:
    head, *people, foot = map(json.loads, lines)
    assert (head["run"], head["operator"], head["environment"]) == (run.id, "Ada L.", "live")
    assert head["key"] == "…cdef"
    assert (foot["customers"], foot["rows"], foot["accepted"], foot["refused"]) == (4, 5, 4, 1)
    assert len(people) == 4
    for line in people:
        assert {"run", "id", "date", "status", "verification", "operator", "tool_version", "chain"} <= line.keys()
        assert (line["run"], line["operator"]) == (run.id, "Ada L.")
    proofs = [(line["status"], line["verification"]) for line in people]
    assert proofs == [(204, "attributes_empty")] * 2 + [(404, "nothing_erased"), (204, "attributes_empty")]
    assert (people[0]["date"], people[0]["clock"]) == ("2026-11-24T10:11:12Z", "server")
    assert people[2]["clock"] == "this machine"


def test_no_id_stands_in_it_in_clear(run: t1.Run, lines: list[bytes]) -> None:
    folder = t1.verify_evidence(run).path.parent
    for path in folder.iterdir():
        content = path.read_bytes()
        for id_ in ("nobody", "zoë", "zo\\u00eb", "%2F"):
            assert id_.encode() not in content
    assert not any(re.search(rb'"(ada|bob)"', line) for line in lines)


def test_anybody_can_work_out_hashes_and_chain_from_the_words_of_the_docs(lines: list[bytes]) -> None:
    salt = bytes.fromhex(json.loads(lines[0])["salt"])
    assert json.loads(lines[1])["id"] == hmac.new(salt, b"ada", "sha256").hexdigest()
    chain = "0" * 64
    for line in lines:
        text, _, rest = line.rpartition(b',"chain":')
        chain = sha256(chain.encode() + b"\n" + text).hexdigest()
        assert rest == f'"{chain}"}}\n'.encode()


def test_who_has_an_id_learns_what_became_of_it(run: t1.Run) -> None:
    report = t1.verify_evidence(run, ids=["ada", "stranger", "nobody"])
    assert report.holds
    assert not report.proves_all
    assert report.ids["found"].tolist() == [True, False, True]
    assert report.ids["outcome"].fillna("none").tolist() == ["accepted", "none", "refused"]
    assert t1.verify_evidence(run.journal.with_suffix(".evidence.jsonl"), ids=["ada", "bob"]).proves_all
    assert (report.customers, report.erased) == (4, 3)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda lines: [*lines[:2], lines[2].replace(b"204", b"200"), *lines[3:]], "line 3 does not follow"),
        (lambda lines: [*lines[:2], lines[2].replace(b'"204', b'"204 '), *lines[3:]], None),
        (lambda lines: [*lines[:2], *lines[3:]], "lines were taken out"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "lines were taken out, added or moved"),
        (lambda lines: lines[:-1], "the end is missing"),
        (lambda lines: lines[:-2] + lines[-1:], "lines were taken out"),
        (lambda lines: lines[1:], "the head is missing"),
        (lambda lines: [*lines, lines[-1]], "line 7 says that it is line 6"),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], "lines were taken out, added or moved"),
        (lambda lines: [*lines[:3], b"\n", *lines[3:]], "line 4 is not as evidence is written"),
        (lambda lines: [line.replace(b"\n", b"\r\n") for line in lines], "line 1 is not as evidence is written"),
        (lambda lines: [*lines[:-1], lines[-1].rstrip()], "line 6 is not as evidence is written"),
        (lambda lines: [lines[0].replace(b"Ada L.", b"Eve"), *lines[1:]], "line 1 does not follow"),
    ],
)
def test_any_line_that_was_changed_removed_or_moved_is_told(
    lines: list[bytes], tmp_path: Path, damage: Callable[[list[bytes]], list[bytes]], said: str | None
) -> None:
    path = tmp_path / "evidence.jsonl"
    path.write_bytes(b"".join(damage(list(lines))))
    report = t1.verify_evidence(path)
    assert report.holds == (said is None)
    assert said is None or any(said in fault for fault in report.faults)
    assert ("NOT as it was written" in str(report)) == (said is not None)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_single_byte_can_be_changed_unseen(lines: list[bytes], tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(b"".join(lines))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[at]))
    path = tmp_path / "evidence.jsonl"
    path.write_bytes(content)
    assert not t1.verify_evidence(path, ids=["ada"]).holds


def rechained(records: list[dict[str, Any]]) -> bytes:
    """What somebody writes who knows how it is done."""
    chain, content = "0" * 64, b""
    for number, record in enumerate(records, 1):
        record = {"line": number, **{name: value for name, value in record.items() if name not in ("line", "chain")}}
        text = json.dumps(record, separators=(",", ":"))[:-1].encode()
        chain = sha256(chain.encode() + b"\n" + text).hexdigest()
        content += text + f',"chain":"{chain}"}}\n'.encode()
    return content


def test_a_whole_forgery_is_told_by_the_seal_alone_or_by_its_count(lines: list[bytes], tmp_path: Path) -> None:
    seal = json.loads(lines[-1])["chain"]
    records = [json.loads(line) for line in lines]
    path = tmp_path / "evidence.jsonl"
    path.write_bytes(rechained([records[0], *records[2:]]))
    assert "counts 4 customers, and there are 3" in str(t1.verify_evidence(path))
    path.write_bytes(rechained([{**record, "operator": "Eve"} for record in records]))
    assert t1.verify_evidence(path).holds
    assert "not the file that it was taken from" in str(t1.verify_evidence(path, seal=seal))
    path.write_bytes(b"".join(lines))
    assert t1.verify_evidence(path, seal=seal).holds


def test_nonsense_in_a_forged_file_is_a_fault_and_no_crash(lines: list[bytes], tmp_path: Path) -> None:
    records = [json.loads(line) for line in lines]
    odd = {"status": "x", "id": ["ada"], "date": 7, "outcome": {}}
    path = tmp_path / "evidence.jsonl"
    ada = records[1]["id"]
    path.write_bytes(
        rechained(
            [{**records[0], "salt": 5}, {**records[1], **odd}, *records[2:-1], {**records[-1], "customers": "all"}]
        )
    )
    assert "counts all customers" in str(t1.verify_evidence(path, ids=["ada"]))
    path.write_bytes(rechained([records[0], {**records[1], **odd, "id": ada}, *records[2:]]))
    assert not t1.verify_evidence(path, ids=["ada"]).proves_all


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\x00\xff" * 50, b'{"line":1}\n', b"[]\n"])
def test_what_is_no_evidence_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "evidence.jsonl"
    path.write_bytes(content)
    with pytest.raises(t1.errors.InputError, match="is no evidence of an erasure"):
        t1.verify_evidence(path)
    with pytest.raises(t1.errors.InputError, match="cannot be read"):
        t1.verify_evidence(tmp_path / "nowhere.jsonl")


def test_evidence_that_cannot_be_written_is_told_and_written_by_a_resume(tmp_path: Path) -> None:
    (tmp_path / "proof").mkdir()
    with Sandbox() as sandbox, t1.Client(sandbox.base_url, sandbox.api_key, rate=None) as client:
        client.update_customer_profile_v2("ada", {"attributes": {}})

        def fill_the_place(progress: t1.Progress) -> None:
            (tmp_path / "proof").exists() and (tmp_path / "proof").rmdir()

        with pytest.raises(t1.errors.JournalError, match="its evidence is not written"):
            t1.erase_customers(
                client,
                ["ada"],
                confirm=1,
                evidence=tmp_path / "proof" / "e.jsonl",
                journal=tmp_path / "run.sqlite",
                progress=fill_the_place,
            )
        (tmp_path / "proof").mkdir()
        run = t1.resume(client, tmp_path / "run.sqlite", data=["ada"])
        assert t1.verify_evidence(run, ids=["ada"]).proves_all
        assert len(sandbox.requests.of("delete_customer_data")) == 1
