"""What a form can be in, what can happen there, and what follows: one table, which also says which buttons work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

State = Literal[
    "empty",
    "changed",
    "checking",
    "blocked",
    "unconfirmed",
    "checked",
    "trying",
    "tried",
    "running",
    "paused",
    "cancelling",
    "finished",
    "cancelled",
    "stopped",
]
"""*empty*: nothing chosen. *changed*: fields differ from what was checked last. *blocked*: checked, and no row can be
sent. *unconfirmed*: checked, and some words are to be typed first. *trying*: the first row is being sent.
*tried*: it is settled, and the run waits for the others to be sent. *stopped*: the run ended before it was complete,
without being asked to.

Of the events that no button makes, *take up* goes on with a run that was left behind."""

Event = Literal[
    # buttons
    "check",
    "try_one",
    "run",
    "pause",
    "go_on",
    "cancel",
    "resume",
    "again",
    # what comes from elsewhere
    "take_up",
    "change",
    "passed",
    "asks",
    "refused",
    "failed",
    "typed",
    "mistyped",
    "tried",
    "complete",
    "incomplete",
]

BUTTONS: tuple[Event, ...] = ("check", "try_one", "run", "pause", "go_on", "cancel", "resume", "again")

_IDLE: Mapping[Event, State] = {"change": "changed", "check": "checking", "take_up": "running"}

TABLE: Mapping[State, Mapping[Event, State]] = {
    "empty": {"change": "changed", "take_up": "running"},
    "changed": _IDLE,
    "checking": {
        "change": "changed",
        "passed": "checked",
        "asks": "unconfirmed",
        "refused": "blocked",
        "failed": "changed",
    },
    "blocked": _IDLE,
    "unconfirmed": {**_IDLE, "typed": "checked"},
    "checked": {**_IDLE, "mistyped": "unconfirmed", "try_one": "trying", "run": "running"},
    "trying": {
        "cancel": "cancelling",
        "tried": "tried",
        "complete": "finished",
        "incomplete": "stopped",
        "failed": "changed",
    },
    "tried": {**_IDLE, "run": "running"},
    "running": {
        "pause": "paused",
        "cancel": "cancelling",
        "complete": "finished",
        "incomplete": "stopped",
        "failed": "changed",
    },
    "paused": {
        "go_on": "running",
        "cancel": "cancelling",
        "complete": "finished",
        "incomplete": "stopped",
        "failed": "changed",
    },
    "cancelling": {"complete": "finished", "incomplete": "cancelled", "failed": "changed"},
    "finished": {**_IDLE, "again": "changed"},
    "cancelled": {**_IDLE, "again": "changed", "resume": "running"},
    "stopped": {**_IDLE, "again": "changed", "resume": "running"},
}
"""State → event → next state. An event that a state does not name does nothing there."""

PRIMARY: Mapping[State, Event] = {
    "changed": "check",
    "blocked": "check",
    "unconfirmed": "run",
    "checked": "run",
    "tried": "run",
    "running": "pause",
    "paused": "go_on",
    "cancelled": "resume",
    "stopped": "resume",
}
"""The one button of a state that stands out."""


def follows(state: State, event: Event) -> State | None:
    """Return the next state, or None when the event means nothing in this one.

    Examples
    --------
    >>> follows("checked", "run"), follows("changed", "run")
    ('running', None)
    """
    return TABLE[state].get(event)


def enabled(state: State) -> frozenset[Event]:
    """Return the buttons that work in a state.

    Examples
    --------
    >>> sorted(enabled("running"))
    ['cancel', 'pause']
    """
    return frozenset(TABLE[state]) & frozenset(BUTTONS)


def is_busy(state: State) -> bool:
    """Return whether something goes on that a change of a field would not reach."""
    return "change" not in TABLE[state]
