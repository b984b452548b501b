"""What a person reads after typing something that cannot work, and that nothing of it reached the server."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from certificate import self_signed
from fault_server import FaultServer
from shell import UPSERT, Ended, Shell, ids_sent, variables

from t1data.sandbox import Sandbox

CANARY = "canary-key-0123456789"
NAN, INFINITY = float("nan"), float("inf")


@pytest.fixture(scope="module")
def _running() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def sandbox(_running: Sandbox) -> Sandbox:
    _running.reset()
    _running.load({"attributes": [{"entity": "CustomerProfile", "name": "Spend", "type": "number"}]})
    return _running


@pytest.fixture(autouse=True)
def _environment(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables(sandbox, tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("T1DATA_MANAGEMENT_KEY", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def wrote(name: str, content: str | bytes | pa.Table) -> str:
    if isinstance(content, pa.Table):
        pq.write_table(content, name)
    else:
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return name


def refused_to_start(done: Ended, sandbox: Sandbox) -> str:
    """Hold that nothing was sent, and return the one sentence that a person reads."""
    assert done.code == 2
    assert not done.out
    assert not len(sandbox.requests)
    assert not Path("runs").exists()
    assert done.err.startswith("Error: ")
    assert done.err.count("\n") == 1
    return done.err.removeprefix("Error: ").strip()


# --- files that cannot be used as a whole -------------------------------------------------------------------


def test_a_missing_file(shell: Shell, sandbox: Sandbox, tmp_path: Path) -> None:
    said = refused_to_start(shell("profiles", "upsert", "people.csv"), sandbox)
    assert said == f"There is no file people.csv. Check the path; the working folder is {tmp_path}."


@pytest.mark.parametrize("content", ["", "\n\n\n", "integration_id,Name\n"], ids=["empty", "blank lines", "header"])
def test_a_file_without_rows(shell: Shell, sandbox: Sandbox, content: str) -> None:
    said = refused_to_start(shell("profiles", "upsert", wrote("people.csv", content)), sandbox)
    assert said.startswith("people.csv has no rows")
    assert said.endswith("Check that it is the right file.")


def test_a_wrong_delimiter(shell: Shell, sandbox: Sandbox) -> None:
    file = wrote("people.csv", "integration_id;Name\n001;Ada\n002;Grace\n")
    said = refused_to_start(shell("profiles", "upsert", file, "--delimiter", ","), sandbox)
    assert said == (
        "people.csv has only one column, and its header holds ';': the delimiter is wrong. "
        "Pass --delimiter ';', or leave it out."
    )
    assert shell("profiles", "upsert", file).last["accepted"] == 2


def test_a_wrong_encoding(shell: Shell, sandbox: Sandbox) -> None:
    file = wrote("people.csv", "integration_id,Name\n001,Zoë\n".encode("cp1252"))
    said = refused_to_start(shell("profiles", "upsert", file), sandbox)
    assert "line 2, byte 26: 0xeb is not utf-8. Pass the right --encoding; likely ones: cp1252" in said
    assert shell("profiles", "upsert", file, "--encoding", "cp1252").last["accepted"] == 1


def test_headers_that_are_there_twice(shell: Shell, sandbox: Sandbox) -> None:
    file = wrote("people.csv", "integration_id,Name,Name\n001,Ada,Grace\n")
    said = refused_to_start(shell("profiles", "upsert", file), sandbox)
    assert said == "people.csv has column names more than once: 'Name'. Rename them."


def test_no_column_of_ids(shell: Shell, sandbox: Sandbox) -> None:
    file = wrote("people.csv", "customer,Name\n001,Ada\n")
    said = refused_to_start(shell("profiles", "upsert", file), sandbox)
    assert said.startswith("--id: there is no column 'integration_id', the columns are 'customer', 'Name'")


def test_ids_as_floats(shell: Shell, sandbox: Sandbox) -> None:
    file = wrote("people.parquet", pa.table({"integration_id": [1.0, 2.0], "Name": ["Ada", "Grace"]}))
    said = refused_to_start(shell("profiles", "upsert", file), sandbox)
    assert "an id 123 is now 123.0, and leading zeros and the digits of long ids may be lost" in said
    assert "say --ids-from-floats" in said
    assert shell("profiles", "upsert", file, "--ids-from-floats").code == 0
    assert ids_sent(sandbox) == {"1": 1, "2": 1}


def test_ids_that_a_spreadsheet_has_shortened(shell: Shell, sandbox: Sandbox) -> None:
    file = wrote("people.csv", "integration_id,Name\n1.23E+10,Ada\n1.24E+10,Grace\n")
    said = refused_to_start(shell("profiles", "upsert", file), sandbox)
    assert "2 ids look like 1.23E+10: a spreadsheet has shortened them" in said
    assert "say --allow-suspect-ids to send them" in said


def test_a_file_of_another_kind(shell: Shell, sandbox: Sandbox) -> None:
    said = refused_to_start(shell("profiles", "upsert", wrote("people.csv", b"PK\x03\x04\x14\x00")), sandbox)
    assert said.startswith("people.csv is an XLSX workbook or another zip archive, and is damaged or cut off (")


# --- rows that cannot be sent, among others that can --------------------------------------------------------


def test_a_byte_order_mark_is_no_part_of_the_first_column(shell: Shell, sandbox: Sandbox) -> None:
    done = shell("profiles", "upsert", wrote("people.csv", b"\xef\xbb\xbfintegration_id,Name\n001,Ada\n"))
    assert (done.code, done.last["accepted"]) == (0, 1)
    assert ids_sent(sandbox) == {"001": 1}


def test_a_ragged_row(shell: Shell, sandbox: Sandbox) -> None:
    done = shell("profiles", "upsert", wrote("people.csv", "integration_id,Name\n001,Ada\n002,Grace,x\n003,Joan\n"))
    assert (done.code, done.last["accepted"], done.last["invalid"]) == (3, 2, 1)
    assert "invalid (row 2): The row has 3 fields, the header has 2" in done.err
    assert ids_sent(sandbox) == {"001": 1, "003": 1}


def test_text_that_is_no_finite_number(shell: Shell, sandbox: Sandbox) -> None:
    file = wrote("people.csv", "integration_id,Spend\n001,inf\n002,NaN\n003,-Infinity\n004,1.0\n")
    done = shell("profiles", "upsert", file, "--type", "Spend=number")
    assert (done.code, done.last["accepted"], done.last["invalid"]) == (3, 1, 3)
    assert "invalid (3 rows, the first is 1): Column Spend holds '…', which is no number as JSON writes it" in done.err
    assert ids_sent(sandbox) == {"004": 1}


def test_an_infinity_is_invalid_and_a_nan_is_no_value(shell: Shell, sandbox: Sandbox) -> None:
    table = pa.table({"integration_id": ["001", "002", "003"], "Spend": [NAN, INFINITY, 1.5]})
    done = shell("profiles", "upsert", wrote("people.parquet", table))
    assert (done.code, done.last["accepted"], done.last["invalid"]) == (3, 2, 1)
    assert "invalid (row 2): Column Spend holds …, an infinity to every reader." in done.err
    (seen,) = sandbox.requests.of(UPSERT)
    assert b'{"integrationId":"001","attributes":{}}' in (seen.body or b"")


def test_times_that_name_no_zone(shell: Shell, sandbox: Sandbox) -> None:
    sandbox.load({"attributes": [{"entity": "CustomerProfile", "name": "Since", "type": "time"}]})
    file = wrote("people.csv", "integration_id,Since\n001,2026-07-01T12:00:00\n002,2026-07-01T12:00:00Z\n")
    done = shell("profiles", "upsert", file, "--type", "Since=time")
    assert (done.code, done.last["accepted"], done.last["invalid"]) == (3, 1, 1)
    assert "invalid (row 1): Column Since holds the time … without a zone; say which it is by --tz." in done.err
    assert shell("profiles", "upsert", file, "--type", "Since=time", "--tz", "UTC").code == 0


# --- the other end ------------------------------------------------------------------------------------------


def test_a_wrong_key(shell: Shell, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T1DATA_API_KEY", CANARY)
    done = shell("profiles", "upsert", wrote("people.csv", "integration_id,Name\n001,Ada\n"))
    assert (done.code, done.last["unsent"]) == (4, 1)
    assert "status 401" in done.err
    assert "check that the key is right, not expired, and of this environment" in done.err
    assert CANARY not in done.err
    assert [seen.status for seen in sandbox.requests] == [401]


def test_a_wrong_management_key(shell: Shell, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T1DATA_MANAGEMENT_KEY", CANARY)
    done = shell("profiles", "upsert", wrote("people.csv", "integration_id,Name\n001,Ada\n"))
    assert (done.code, done.out) == (2, "")
    assert "list_attributes: status 401" in done.err
    assert CANARY not in done.err
    assert {seen.method for seen in sandbox.requests} == {"GET"}


def test_no_key(shell: Shell, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("T1DATA_API_KEY")
    file = wrote("people.csv", "integration_id,Name\n001,Ada\n")
    said = refused_to_start(shell("profiles", "upsert", file), sandbox)
    assert said == "Set T1DATA_API_KEY in the environment."


def unreachable(shell: Shell, sandbox: Sandbox, base_url: str) -> str:
    """Try an upsert at an address where nothing is, and return what it says, soon."""
    file = wrote("people.csv", "integration_id,Name\n001,Ada\n")
    began = time.monotonic()
    done = shell("profiles", "upsert", file, "--base-url", base_url)
    assert time.monotonic() - began < 5
    assert (done.code, done.out) == (2, "")
    assert not len(sandbox.requests)
    assert not Path("runs").exists()
    return done.err.splitlines()[-1].removeprefix("Error: ")


def test_a_host_that_is_not_known(shell: Shell, sandbox: Sandbox) -> None:
    said = unreachable(shell, sandbox, "https://nonexistent.invalid")
    assert said.startswith("The name nonexistent.invalid is not known to this machine's network; check the base URL")


def test_a_port_where_nobody_listens(shell: Shell, sandbox: Sandbox) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # bound and never listening: nobody else can get it meanwhile
        port = unheard.getsockname()[1]
        said = unreachable(shell, sandbox, f"http://127.0.0.1:{port}")
    assert said.startswith(f"Nobody answers at 127.0.0.1, port {port}; check the base URL")


def test_a_certificate_that_does_not_hold(shell: Shell, sandbox: Sandbox, tmp_path: Path) -> None:
    pem = tmp_path / "server.pem"
    pem.write_text(self_signed("localhost"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    with FaultServer(tls=tls) as server:
        said = unreachable(shell, sandbox, f"https://localhost:{server.port}")
    assert said.startswith("The certificate of localhost does not hold: check the host's name")


@pytest.mark.parametrize("base_url", ["http://shop.talon.one", "https://user:pw@shop.talon.one", "shop.talon.one"])
def test_an_address_that_no_key_may_go_to(shell: Shell, sandbox: Sandbox, base_url: str) -> None:
    file = wrote("people.csv", "integration_id,Name\n001,Ada\n")
    said = refused_to_start(shell("profiles", "upsert", file, "--base-url", base_url), sandbox)
    assert "https" in said or "key" in said
    assert "pw" not in said
