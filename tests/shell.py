"""The command line as tests use it: in this process, where it is quick, or as a real process, where signals matter."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from t1data.cli import run
from t1data.sandbox import Sandbox

ROOT = Path(__file__).parents[1]
PROGRAM = str(Path(sys.executable).with_name("t1data"))
UPSERT = "update_customer_profiles_v2"

_started: list[subprocess.Popen[str]] = []


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, what it said to machines and what it said to people."""

    code: int
    out: str
    err: str

    @property
    def last(self) -> dict[str, Any]:
        """The last line of standard output, which must be JSON."""
        return json.loads(self.out.splitlines()[-1])


def variables(sandbox: Sandbox, folder: Path, *, management: bool = False) -> dict[str, str]:
    """What a user has set before typing commands."""
    found = {
        "T1DATA_BASE_URL": sandbox.base_url,
        "T1DATA_API_KEY": sandbox.api_key,
        "T1DATA_RUNS": str(folder / "runs"),
        "T1DATA_CONFIG": str(folder / "config.toml"),
    }
    return found | {"T1DATA_MANAGEMENT_KEY": sandbox.management_key} if management else found


class Shell:
    """Runs commands in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str | Path) -> Ended:
        self._capsys.readouterr()
        code = run([str(word) for word in words])
        said = self._capsys.readouterr()
        return Ended(code, said.out, said.err)


def start(*words: str | Path, env: Mapping[str, str], **more: Any) -> subprocess.Popen[str]:
    """Start a command as a process of its own."""
    process = subprocess.Popen(
        [PROGRAM, *map(str, words)],
        env={**os.environ, **env},
        stdin=more.pop("stdin", subprocess.DEVNULL),
        stdout=more.pop("stdout", subprocess.PIPE),
        stderr=more.pop("stderr", subprocess.PIPE),
        text=True,
        preexec_fn=_hear_of_hang_ups,
        **more,
    )
    _started.append(process)
    return process


def _hear_of_hang_ups() -> None:
    """Give a process the signal back that tests which are run by `nohup` do not have."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def end_all() -> None:
    """End what a failed test has left running, so that it is the only one to fail."""
    while _started:
        with _started.pop() as process:
            process.kill()


def ended(process: subprocess.Popen[str], *, within: float = 30.0) -> Ended:
    """Wait for a process to end."""
    out, err = process.communicate(timeout=within)
    return Ended(process.returncode, out, err or "")


def wait_until(true: Callable[[], object], *, within: float = 20.0) -> None:
    """Look again and again whether something has happened."""
    ends, pause = time.monotonic() + within, threading.Event()
    while not true():
        assert time.monotonic() < ends, "it did not happen in time"
        pause.wait(0.01)


def ids_sent(sandbox: Sandbox) -> Counter[str]:
    """How often each customer was in a request that reached the server."""
    bodies = [json.loads(seen.body) for seen in sandbox.requests.of(UPSERT) if seen.body]
    return Counter(profile["integrationId"] for body in bodies for profile in body["customerProfiles"])


def people(path: Path, *, rows: int) -> Path:
    """Write a file of customers."""
    lines = [f"{number:05d},Customer {number}" for number in range(1, rows + 1)]
    path.write_text("\n".join(["integration_id,Name", *lines, ""]), encoding="utf-8")
    return path
