"""Idempotency keys: the first answer under a key is given again for a day, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from t1data.sandbox.core import Refusal
from t1data.sandbox.wire import Answer

HEADER = "idempotency-key"
LONGEST_KEY = 255
KEPT_FOR = timedelta(hours=24)


def read_key(value: str | None) -> str | None:
    """Return the key of a request, None without one; 400 for one that is too long."""
    if value is not None and len(value) > LONGEST_KEY:
        raise Refusal(400, f"The Idempotency-Key has more than {LONGEST_KEY} characters")
    return value or None


class Replays:
    """The answers kept, by operation and key.

    What happens to a second body under the same key is not documented: the first answer is given again.
    A refusal is not kept, so that a mended request may use the same key.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[datetime, Answer]] = {}

    def find(self, operation: str, key: str) -> Answer | None:
        """Return the answer kept for this key, or None."""
        self._expire()
        kept = self._kept.get((operation, key))
        return kept and kept[1]

    def keep(self, operation: str, key: str, answer: Answer) -> None:
        """Keep the answer to a request that was done."""
        if answer.status < 300:
            self._kept[operation, key] = (self._clock(), answer)

    def clear(self) -> None:
        """Forget them all."""
        self._kept.clear()

    def _expire(self) -> None:
        horizon = self._clock() - KEPT_FOR
        while self._kept and next(iter(self._kept.values()))[0] <= horizon:
            del self._kept[next(iter(self._kept))]
