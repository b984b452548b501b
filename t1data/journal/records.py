"""What a journal holds: the states of a batch, the records, the tables.

A batch moves through the states ``planned -> intent -> answered -> done | refused | in_doubt``, and from the last one
through ``resent`` again; `next_state` is the whole rule. Rows are not listed one by one: a batch names its rows as
spans, and only a row whose outcome differs from its batch's (found invalid, or an equal row stands for it) has a line
of its own. The file holds row numbers, states and the server's words with customers' values masked, and the answers
that carry goods as they came; never a key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from t1data.errors import JournalError

SCHEMA_VERSION = 1
UNCHANGED = "unchanged"  # reason of a row that was not sent, because the account holds it already as it is
OUTCOMES = ("accepted", "invalid", "refused", "unsent", "in_doubt")

OPEN = ("planned", "intent", "answered", "in_doubt", "resent")  # states of a batch that a resume sends
OLD = 24 * 3600.0  # seconds after which the rows of a run may be older than what the account has since learnt

State = Literal["planned", "intent", "answered", "done", "refused", "in_doubt", "resent"]
STATES: tuple[str, ...] = get_args(State)
Event = Literal["intend", "withhold", "answer", "accept", "refuse", "doubt"]
Span = tuple[int, int]

_NEXT: dict[tuple[str, str], State] = {
    ("planned", "intend"): "intent",
    ("intent", "withhold"): "planned",  # certainly not applied: no request reached the server
    ("intent", "answer"): "answered",
    ("intent", "doubt"): "in_doubt",
    ("answered", "accept"): "done",
    ("answered", "refuse"): "refused",
    ("answered", "doubt"): "in_doubt",
    ("answered", "withhold"): "planned",  # a clear no to the whole run, such as a wrong key
    ("in_doubt", "intend"): "resent",  # repeatable operations, or by the user's explicit word
    ("in_doubt", "accept"): "done",  # found on the server afterwards
    ("in_doubt", "withhold"): "planned",  # looked for on the server, and not there
    ("resent", "answer"): "answered",
    ("resent", "accept"): "done",
    ("resent", "refuse"): "refused",
    ("resent", "doubt"): "in_doubt",
    ("resent", "withhold"): "in_doubt",  # this time it was not sent; what became of the first time is as open as before
}

_OUTCOME_OF_STATE = {
    "planned": "unsent",
    "intent": "in_doubt",
    "answered": "in_doubt",
    "done": "accepted",
    "refused": "refused",
    "in_doubt": "in_doubt",
    "resent": "in_doubt",
}

SCHEMA = """
CREATE TABLE run (
    id TEXT PRIMARY KEY, schema_version INTEGER NOT NULL, tool_version TEXT NOT NULL, operation TEXT NOT NULL,
    base_url TEXT NOT NULL, facts TEXT NOT NULL, rows INTEGER, started_at REAL NOT NULL, finished_at REAL,
    stopped TEXT, holder TEXT
) STRICT;
CREATE TABLE batch (
    number INTEGER PRIMARY KEY, parent INTEGER REFERENCES batch(number), spans TEXT NOT NULL, rows INTEGER NOT NULL,
    state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, status INTEGER, reason TEXT, field TEXT,
    message TEXT, started_at REAL, answered_at REAL, waited REAL NOT NULL DEFAULT 0,
    CHECK (state IN ('planned', 'intent', 'answered', 'done', 'refused', 'in_doubt', 'resent') AND rows >= 0)
) STRICT;
CREATE INDEX batch_parent ON batch(parent) WHERE parent IS NOT NULL;
CREATE TABLE answer (
    id INTEGER PRIMARY KEY, batch INTEGER NOT NULL REFERENCES batch(number), body BLOB NOT NULL
) STRICT;
CREATE TABLE line (
    row INTEGER PRIMARY KEY, reason TEXT NOT NULL, field TEXT, message TEXT, same_as INTEGER
) STRICT;
"""


def next_state(state: str, event: str) -> State:
    """Return the state that follows, or raise: there is no other way for a batch to change."""
    try:
        return _NEXT[state, event]
    except KeyError:
        raise JournalError(f"a batch that is {state!r} cannot take {event!r}") from None


def outcome_of(state: str) -> str:
    """Return the outcome that a batch's state means for its rows."""
    return _OUTCOME_OF_STATE[state]


@dataclass(frozen=True)
class Line:
    """What differs for one row from its batch: why it is invalid, or which equal row stands for it."""

    row: int
    reason: str
    field: str | None = None
    message: str | None = None
    same_as: int | None = None


@dataclass(frozen=True)
class Part:
    """A batch that takes over some rows of another one; planned, or with the state that is known for them."""

    number: int
    spans: tuple[Span, ...]
    rows: int
    state: State = "planned"
    status: int | None = None
    reason: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """One batch as the journal knows it. `spans` are half-open ranges of 0-based row numbers."""

    number: int
    parent: int | None
    spans: tuple[Span, ...]
    rows: int
    state: str
    attempts: int
    status: int | None
    reason: str | None
    field: str | None
    message: str | None
    started_at: float | None
    answered_at: float | None
    waited: float


@dataclass(frozen=True)
class RunRecord:
    """The head of a journal. `facts` is what a resume must find unchanged: input, parameters, host, key's mark."""

    id: str
    operation: str
    base_url: str
    facts: dict[str, Any]
    rows: int | None
    started_at: float
    finished_at: float | None
    stopped: str | None


def check_same(known: RunRecord, path: Path, *, operation: str, base_url: str, facts: dict[str, Any]) -> None:
    """Raise unless a run that is to be resumed is the one that the journal holds, naming what differs."""
    differs = [
        name
        for name, was, now in (
            ("the operation", known.operation, operation),
            ("the base URL", known.base_url, base_url),
            ("the input's content", _content(known.facts), _content(facts)),
            *_layout_pairs(known.facts, facts),
        )
        if was != now
    ]
    if differs:
        raise JournalError(
            f"{path} holds run {known.id}, and this is not the same job: {', '.join(differs)} changed. Nothing was"
            " sent. Give back what it began with to resume it, or name another journal to begin anew"
        )


def check_young(known: RunRecord, now: float, *, is_open: bool) -> None:
    """Raise when a run with rows to send began so long ago that they could overwrite newer values."""
    ended = known.finished_at is not None and known.stopped is None
    if now - known.started_at > OLD and (is_open or not ended):
        days = (now - known.started_at) / 86_400
        raise JournalError(
            f"run {known.id} began {days:.1f} days ago, and what it has not sent may be older than what the account has"
            " by now. Nothing was sent. Say resume_old=True to send it all the same"
        )


def _content(facts: dict[str, Any]) -> object:
    return facts.get("input", {}).get("sha256")


def _layout_pairs(known: dict[str, Any], given: dict[str, Any]) -> Iterator[tuple[str, object, object]]:
    was, now = known.get("layout", {}), json.loads(json.dumps(given.get("layout", {})))
    for name in sorted(was.keys() | now.keys()):
        yield f"the mapping ({name})", was.get(name), now.get(name)
