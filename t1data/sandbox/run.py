"""The sandbox as a process of its own: one JSON line when it is ready, a clean stop on a signal."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from types import FrameType
from typing import TextIO

from t1data.sandbox.local import Sandbox
from t1data.sandbox.options import Options

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run(
    *,
    port: int = 0,
    db: str | PathLike[str] | None = None,
    data: str | PathLike[str] | None = None,
    rate: float | None = None,
    out: TextIO | None = None,
) -> None:
    """Serve a sandbox until SIGTERM or SIGINT.

    When it is ready, one line of JSON is written with `base_url`, `api_key` and `management_key`.

    Parameters
    ----------
    port : int
        The port to listen on; 0 takes any free one.
    db : path, optional
        A SQLite file that keeps the account.
    data : path, optional
        A seed file, or a folder with one, for a new account; an account that `db` kept is left as it is.
    rate : float, optional
        Requests a second before a 429.
    out : text file, optional
        Where the line goes; standard output when left out.

    Raises
    ------
    OSError
        When the port is taken, or a file cannot be read.
    ValueError
        When the seed has faults.
    """
    fresh = db is None or not Path(db).exists()
    with _stopped_by_signals() as stopped, Sandbox(port=port, db=db, options=Options(rate=rate)) as sandbox:
        if data is not None and fresh:
            sandbox.load(data)
        print(_ready_line(sandbox), file=out or sys.stdout, flush=True)
        stopped.wait()


def _ready_line(sandbox: Sandbox) -> str:
    facts = ("base_url", "api_key", "management_key")
    return json.dumps({name: getattr(sandbox, name) for name in facts})


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    before = {number: signal.signal(number, stop) for number in STOP_SIGNALS}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
