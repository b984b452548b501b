"""Where a form is, and what it says about it: the table of states at work, and every error in a sentence."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from t1data.forms.face import Face
from t1data.forms.states import Event, State, follows, is_busy
from t1data.forms.words import error_line, in_labels


class Stage:
    """The state of one form.

    Parameters
    ----------
    face : Face
        What shows it.
    labels : mapping
        Parameter → what the form calls it, for messages that name parameters.
    lock : callable
        Called with whether the fields are to be locked, after every step.

    Attributes
    ----------
    state : str
        See `states`.
    asks : str or None
        Words that are to be typed before anything is sent.
    error : BaseException or None
        The last one.
    """

    def __init__(self, face: Face, *, labels: Mapping[str, str], lock: Callable[[bool], None]) -> None:
        self.face = face
        self.state: State = "empty"
        self.asks: str | None = None
        self.error: BaseException | None = None
        self._labels = labels
        self._lock_fields = lock
        self._lock = threading.RLock()  # a form's acts come from the kernel's threads and from its own
        self._threads: list[threading.Thread] = []

    def fire(self, event: Event) -> bool:
        """Go where the table says; False when the event means nothing here, such as the second click of two."""
        after = follows(self.state, event)
        if after is None:
            return False
        self.state = after
        self.draw()
        return True

    def draw(self) -> None:
        """Let the buttons and fields work that belong to the state."""
        self.face.draw(self.state, asks=self.asks)
        self._lock_fields(is_busy(self.state))

    def say(self, text: str) -> None:
        """Say where the form is."""
        self.face.say(text)

    def complain(self, text: str) -> None:
        """Say what went wrong, in the words of the form."""
        self.face.complain(in_labels(text, self._labels))

    def fail(self, error: BaseException) -> None:
        """Say an error in a sentence, and keep it for who looks into it."""
        self.error = error
        self.complain(error_line(error))

    def guarded(self, act: Callable[..., None]) -> Callable[..., None]:
        """Let one act at a time, and say errors on the page: what a handler or a thread raises is shown nowhere."""

        def guarded(*given: Any) -> None:
            with self._lock:
                try:
                    act(*given)
                except Exception as error:  # noqa: BLE001
                    self.fail(error)

        return guarded

    def follow(self, thread: threading.Thread) -> None:
        """Let `wait` wait for this thread too."""
        self._threads.append(thread)

    def wait(self, timeout: float | None) -> None:
        """Return when no thread is left that still has something to show."""
        while self._threads:
            self._threads[0].join(timeout)
            if self._threads[0].is_alive():
                raise TimeoutError(f"the form is still {self.state}")
            self._threads.pop(0)
