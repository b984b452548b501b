"""Negative controls for runs that make codes: readers and seekers of codes that are broken on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from t1data.journal import steps
from t1data.referrals import answers, codes, reconcile


@contextmanager
def forgets_answers() -> Iterator[None]:
    """Read the answers, and keep none of them."""
    with patch.object(steps, "insert_answers", lambda db, answers: None):
        yield


@contextmanager
def matches_by_place() -> Iterator[None]:
    """Give the first advocate the first code of an answer, and so forth, whomever it names."""

    def by_place(advocates: list[str], body: bytes) -> answers.Matched:
        found: list[Any] = [*answers.codes_in(body), *[None] * len(advocates)]
        return answers.Matched(found[: len(advocates)])

    with patch.object(answers, "match", by_place), patch.object(codes, "match", by_place):
        yield


@contextmanager
def guesses_that_nothing_was_made() -> Iterator[None]:
    """Settle what is in doubt without looking: a lost answer means that nothing was done."""
    with patch.object(reconcile, "_find", lambda asked, *_: reconcile._Found(asked.row)):
        yield


@contextmanager
def takes_any_code() -> Iterator[None]:
    """Settle what is in doubt with any code that the advocate has, however old."""

    def any_code(asked: Any, shown: Any, *_: object) -> reconcile._Found:
        return reconcile._Found(asked.row, shown[0] if shown and not isinstance(shown, str) else None)

    with patch.object(reconcile, "_find", any_code):
        yield


@contextmanager
def takes_no_profile_for_no_code() -> Iterator[None]:
    """Conclude from a profile that does not exist that there is no code."""
    find = reconcile._find

    def blind(asked: Any, shown: Any, *more: Any) -> reconcile._Found:
        return find(asked, [] if isinstance(shown, str) else shown, *more)

    with patch.object(reconcile, "_find", blind):
        yield


CODE_WOUNDS: dict[str, Callable[[], Any]] = {
    "forgets-answers": forgets_answers,
    "matches-by-place": matches_by_place,
    "guesses-that-nothing-was-made": guesses_that_nothing_was_made,
    "takes-any-code": takes_any_code,
    "takes-no-profile-for-no-code": takes_no_profile_for_no_code,
}
