"""Work that goes on while the page stays alive: a thread that works, and one that looks at it ten times a second.

Two facts forced the shape. A click handler that works keeps every other click waiting until it ends. And a plain
thread cannot reach the page on every kernel: it needs a copy of the context that its starter had.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")

EVERY = 0.1
"""Seconds between two looks. A message for each step would leave the page seconds behind."""


def background(target: Callable[[], None]) -> threading.Thread:
    """Start a thread that may set traits of widgets."""
    thread = threading.Thread(target=copy_context().run, args=(target,), daemon=True)
    thread.start()
    return thread


def work(
    job: Callable[[], T],
    *,
    done: Callable[[T], None],
    failed: Callable[[BaseException], None],
    look: Callable[[], None] = lambda: None,
    every: float = EVERY,
) -> threading.Thread:
    """Do a job in one thread, and everything that touches widgets in another.

    Parameters
    ----------
    job : callable
        The work. It touches no widget.
    done, failed : callable
        Called once at the end, with what the job returned or raised.
    look : callable
        Called now and then while the job goes on, and once after it.
    every : float
        Seconds between two looks.

    Returns
    -------
    Thread
        The one that looks; it ends after `done` or `failed`.
    """
    ended = threading.Event()
    results: list[T] = []
    errors: list[BaseException] = []

    def do() -> None:
        try:
            results.append(job())
        except BaseException as error:  # noqa: BLE001  (a thread's exception would be shown nowhere)
            errors.append(error)
        finally:
            ended.set()

    def watch() -> None:
        while not ended.wait(every):
            look()
        look()
        if errors:
            failed(errors[0])
        else:
            done(results[0])

    background(do)
    return background(watch)
