"""Signals that ask a process to end, taken as the first Ctrl-C: a run stops cleanly and can be resumed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def signals_as_interrupts() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise `KeyboardInterrupt` in the main thread."""
    before = {number: signal.signal(number, _interrupt) for number in _SIGNALS if not _ignored(number)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignored(number: signal.Signals) -> bool:
    return signal.getsignal(number) is signal.SIG_IGN  # nohup asks for that, and is obeyed


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
