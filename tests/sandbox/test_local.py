"""Starting, stopping, seeding and resetting a sandbox; and the sandbox as a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from caller import Remote, has, manage, send, update, upsert

from t1data.sandbox import Sandbox, Status

SEED = {"audiences": [{"name": "VIP", "members": ["00001"]}]}


def port_of(sandbox: Sandbox) -> int:
    return urlsplit(sandbox.base_url).port or 0


def test_its_repr_shows_the_address_and_no_key() -> None:
    with Sandbox() as sandbox:
        assert repr(sandbox) == f"<Sandbox at {sandbox.base_url}>"
    assert repr(sandbox) == "<Sandbox, not running>"


def test_the_keys_are_random_unless_given() -> None:
    first, second = Sandbox(), Sandbox(api_key="mine", management_key="ours")
    assert len({first.api_key, first.management_key, Sandbox().api_key}) == 3
    assert (second.api_key, second.management_key) == ("mine", "ours")


def test_it_answers_on_the_port_asked_for_and_frees_it_at_the_end() -> None:
    with Sandbox() as sandbox:
        port = port_of(sandbox)
    with Sandbox(port=port) as again:
        assert port_of(again) == port
        assert upsert(again, "a").status == 200


def test_a_taken_port_is_an_error_at_once() -> None:
    with Sandbox() as sandbox, pytest.raises(OSError, match="in use"):
        Sandbox(port=port_of(sandbox)).start()


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(ValueError, match="65535"):
        Sandbox(port=port)


def test_closing_twice_and_starting_twice_do_no_harm() -> None:
    sandbox = Sandbox()
    assert sandbox.start() is sandbox.start()
    sandbox.close()
    sandbox.close()
    with pytest.raises(RuntimeError, match="not running"):
        _ = sandbox.base_url
    with pytest.raises(RuntimeError, match="not running"):
        sandbox.load(SEED)


def test_a_sandbox_may_be_closed_as_soon_as_it_starts() -> None:
    for _ in range(5):
        sandbox = Sandbox().start()
        port = port_of(sandbox)
        sandbox.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), timeout=5)


def test_idle_connections_do_not_hold_up_the_end() -> None:
    with Sandbox() as sandbox, socket.create_connection(("127.0.0.1", port_of(sandbox)), timeout=10) as idle:
        idle.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert idle.recv(65536).startswith(b"HTTP/1.1 200")
        sandbox.close()
        while idle.recv(65536):
            pass


def test_a_body_that_does_not_come_does_not_hold_up_the_end(caplog: pytest.LogCaptureFixture) -> None:
    with Sandbox() as sandbox, socket.create_connection(("127.0.0.1", port_of(sandbox)), timeout=10) as stalled:
        head = (
            f"PUT /v2/customer_profiles HTTP/1.1\r\nHost: localhost\r\nAuthorization: ApiKey-v1 {sandbox.api_key}\r\n"
        )
        stalled.sendall(head.encode() + b"Expect: 100-continue\r\nContent-Length: 100\r\n\r\n{")
        assert stalled.recv(65536).startswith(b"HTTP/1.1 100")
        sandbox.close()
    assert caplog.records == []


def test_requests_that_come_in_while_it_is_told_to_stop_do_not_hold_up_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    head = b"PUT /v2/customer_profiles HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
    with Sandbox() as sandbox, ExitStack() as callers:
        for _ in range(20):
            caller = callers.enter_context(socket.create_connection(("127.0.0.1", port_of(sandbox)), timeout=10))
            caller.sendall(head)
        sandbox.close()
    assert caplog.records == []


def test_a_file_keeps_the_account(tmp_path: Path) -> None:
    with Sandbox(db=tmp_path / "account.db") as sandbox:
        upsert(sandbox, "a")
    with Sandbox(db=tmp_path / "account.db") as again:
        assert has(again, "a")
        assert not has(again, "b")


def test_a_file_that_cannot_be_an_account_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database, just some text that is long enough to have no header" * 20)
    with pytest.raises(OSError, match=r"notes\.txt"):
        Sandbox(db=tmp_path / "notes.txt").start()
    with pytest.raises(OSError, match=r"account\.db"):
        Sandbox(db=tmp_path / "missing" / "account.db").start()


def test_seeding_fills_the_account() -> None:
    with Sandbox() as sandbox:
        sandbox.load(SEED)
        assert has(sandbox, "00001")


def test_a_reset_empties_the_account_and_keeps_address_and_keys() -> None:
    with Sandbox() as sandbox:
        fresh = manage(sandbox, "GET", "/v1/attributes").json()
        before = (sandbox.base_url, sandbox.api_key)
        sandbox.load({**SEED, "attributes": [{"entity": "Event", "name": "Place", "type": "string"}]})
        upsert(sandbox, "a", headers={"Idempotency-Key": "one"})
        sandbox.faults.add(Status(500))
        sandbox.reset()
        assert len(sandbox.requests) == 0
        assert manage(sandbox, "GET", "/v1/attributes").json()["data"][0]["name"] == fresh["data"][0]["name"]
        assert len(manage(sandbox, "GET", "/v1/attributes").json()["data"]) == len(fresh["data"])
        assert not has(sandbox, "00001")
        profile = update(sandbox, "b", headers={"Idempotency-Key": "one"}).json()["customerProfile"]
        assert (profile["integrationId"], profile["id"]) == ("b", 1)
        assert (sandbox.base_url, sandbox.api_key) == before


def test_a_seed_of_the_sandbox_repeats_its_codes() -> None:
    def codes() -> list[str]:
        with Sandbox(seed=3) as sandbox:
            sandbox.load({"campaigns": [{"id": 1, "name": "Friends", "features": ["referrals"]}]})
            body = {"campaignId": 1, "advocateProfileIntegrationIds": ["a", "b"], "usageLimit": 1}
            got = send(sandbox, "POST", "/v1/referrals_for_multiple_advocates?silent=no", body)
            return [referral["code"] for referral in got.json()["data"]]

    assert codes() == codes()


@contextmanager
def process(*options: str) -> Iterator[tuple[subprocess.Popen[str], Remote]]:
    """Run the sandbox as a process; gives it and what its first line says."""
    command = [sys.executable, "-W", "error", "-m", "t1data.sandbox", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield running, Remote(**json.loads(running.stdout.readline()))
        finally:
            running.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_says_one_line_and_ends_cleanly_on_a_signal(number: signal.Signals) -> None:
    with process() as (running, remote):
        assert send(remote, "GET", "/v2/authping").status == 200
        running.send_signal(number)
        rest, complaints = running.communicate(timeout=20)
        assert (running.returncode, rest, complaints) == (0, "", "")


def test_a_process_keeps_its_account_and_loads_its_seed_once(tmp_path: Path) -> None:
    (tmp_path / "sandbox.json").write_text(json.dumps(SEED))
    options = ("--db", str(tmp_path / "account.db"), "--data", str(tmp_path), "--rate", "50")
    for _ in range(2):
        with process(*options) as (running, remote):
            assert has(remote, "00001")
            assert len(manage(remote, "GET", "/v1/audiences").json()["data"]) == 1
            running.terminate()
            assert running.wait(timeout=20) == 0


def complaint(*options: str) -> str:
    """Run the sandbox with options that it cannot start with, and return what it says."""
    command = [sys.executable, "-W", "error", "-m", "t1data.sandbox", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 1
    assert ended.stdout == ""
    return ended.stderr


def test_a_process_that_cannot_start_says_why_in_a_sentence(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        assert "in use" in complaint("--port", str(port_of(sandbox)))
    assert "65535" in complaint("--port", "70000")
    assert "sandbox.toml" in complaint("--data", str(tmp_path))
    (tmp_path / "sandbox.json").write_text('{"audience": []}')
    words = complaint("--data", str(tmp_path))
    assert "/audience" in words
    assert "Traceback" not in words
