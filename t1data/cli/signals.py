"""Signals that ask a process to end: a run stops cleanly at the first, and at once at the second."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING

from t1data.cli.talk import say

if TYPE_CHECKING:
    from t1data.bulk.progress import Control

Handler = Callable[[int, FrameType | None], None]

# Ctrl-C; what `kill`, systemd and containers send; what a terminal sends when it is closed.
_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def signals_as_interrupts() -> Iterator[None]:
    """Let every signal that asks to end raise `KeyboardInterrupt` in the main thread."""
    with _handled_by(_interrupt):
        yield


@dataclass
class Stop:
    """What signals do to one run: the first asks it to stop, the second raises `KeyboardInterrupt`."""

    control: Control
    asked: bool = False


@contextmanager
def signals_stop_a_run() -> Iterator[Stop]:
    """Give a control for a run that the first signal stops.

    An exception at any place of the main thread can get lost there, in a callback from C or a finaliser. A control
    cannot, but a handler may not set it: it interrupts code that may hold the very lock that this needs. So a
    thread does, and is told through the one queue that is made to be used by handlers.
    """
    from t1data.bulk.progress import Control

    stop, asked = Stop(Control()), SimpleQueue[bool]()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.asked:
            raise KeyboardInterrupt
        stop.asked = True
        asked.put(True)

    def wait() -> None:
        if asked.get():
            stop.control.stop()
            say("\nStopping: requests that are out get up to 10 seconds. A second Ctrl-C stops at once.")

    waiter = threading.Thread(target=wait, name="t1data-signals", daemon=True)
    waiter.start()
    try:
        with _handled_by(handle):
            yield stop
    finally:
        asked.put(False)
        waiter.join(1.0)


@contextmanager
def _handled_by(handler: Handler) -> Iterator[None]:
    """Set a handler, in the main thread, for every signal that is not ignored: nohup asks for that, and is obeyed."""
    main = threading.current_thread() is threading.main_thread()
    wanted = [number for number in _SIGNALS if main and signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in wanted}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
