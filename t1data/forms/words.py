"""What forms say: counts, times, how far a run is, what went wrong. Plain text; `html` escapes it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from t1data.bulk.progress import Progress
from t1data.errors import AuthError, T1DataError

OUTCOMES = ("accepted", "invalid", "refused", "unsent", "in_doubt")


def many(count: int, noun: str, plural: str | None = None) -> str:
    """Write a count with its noun.

    Examples
    --------
    >>> many(1, "row"), many(12400, "row"), many(2, "entry", "entries")
    ('1 row', '12,400 rows', '2 entries')
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def lasting(seconds: float) -> str:
    """Write a time to wait.

    Examples
    --------
    >>> lasting(46.2), lasting(312)
    ('46 s', '5 min')
    """
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def counted(counts: Mapping[str, int]) -> str:
    """Write the counts that are not zero.

    Examples
    --------
    >>> counted({"accepted": 1200, "invalid": 0, "in_doubt": 3})
    '1,200 accepted, 3 in doubt'
    """
    parts = [f"{counts[name]:,} {name.replace('_', ' ')}" for name in OUTCOMES if counts.get(name)]
    return ", ".join(parts) or "no rows"


def failures(counts: Mapping[str, int]) -> int:
    """Return how many rows the server or the check said no to."""
    return counts.get("invalid", 0) + counts.get("refused", 0)


def line_of(progress: Progress | None, doing: str) -> str:
    """Say in words how far a run is.

    Examples
    --------
    >>> line_of(Progress(50, 200, {"refused": 2}, 1, 2.0), "running")
    '50 of 200 rows, 2 failed, 25 rows/s, 6 s left, running'
    """
    if progress is None:
        return doing
    total = "" if progress.total is None else f" of {progress.total:,}"
    parts = [f"{progress.done:,}{total} rows", f"{failures(progress.counts):,} failed", f"{progress.rate:,.0f} rows/s"]
    if progress.seconds_left is not None:
        parts.append(f"{lasting(progress.seconds_left)} left")
    return ", ".join([*parts, f"waiting ({progress.waiting})" if progress.waiting else doing])


def percent(progress: Progress | None) -> int:
    """Return how much of a run is done, 0 to 100."""
    if progress is None or not progress.total:
        return 0
    return min(100, progress.done * 100 // progress.total)


def in_labels(message: str, labels: Mapping[str, str]) -> str:
    """Say in the labels of a form what a message says in keywords of Python.

    Examples
    --------
    >>> in_labels("tz: say which zone by tz=", {"tz": "Time zone"})
    "'Time zone': say which zone by 'Time zone'"
    >>> in_labels("say max_removed=230.", {"max_removed": "Who may leave"})
    "say 'Who may leave': 230."
    """
    if not labels:
        return message
    names = "|".join(map(re.escape, labels))

    def said(found: re.Match[str]) -> str:
        return repr(labels[found[1]]) + (f": {found[2]}" if found[2] else "")

    ahead = re.sub(rf"^({names})(\[.*?\])?: ", lambda found: f"{labels[found[1]]!r}{found[2] or ''}: ", message)
    return re.sub(rf"\b({names})=(?:True|\"[^\"]*\"|'[^']*'|(\d+))?", said, ahead)


def error_line(error: BaseException) -> str:
    """Say an error in a sentence, and what to do about it.

    Examples
    --------
    >>> error_line(AuthError("The key was not accepted."))
    'The key was not accepted. Enter another key under Connect, and go on.'
    """
    said = str(error).strip()
    if isinstance(error, AuthError):
        return f"{said.rstrip('.')}. Enter another key under Connect, and go on."
    if isinstance(error, T1DataError):
        return said
    # Not foreseen, so its words may hold anything, also a customer's data.
    return f"This should not have happened ({type(error).__name__}). Nothing more is sent; runs keep what was done."
