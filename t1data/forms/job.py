"""What makes one form: words, fields, and the public functions that plan and send. A further form is one of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from t1data.bulk.progress import Control, Progress
from t1data.client import Client
from t1data.forms.fields import Part
from t1data.journal.runs import Run

if TYPE_CHECKING:
    import pandas as pd


class Connected(Protocol):
    """What `forms.connect` returns: it has a client once it is connected."""

    @property
    def client(self) -> Client:
        """The client; a `ConfigError` before there is one."""


ClientSource = Client | Connected


@dataclass(frozen=True)
class Planned:
    """What a check found.

    Attributes
    ----------
    ready : int
        Rows that would be sent.
    said : str
        The result in a sentence.
    lines : sequence of str
        The plan, a line for each thing to know.
    reasons : mapping of str to int
        Why rows would not be sent, and how many.
    problems : DataFrame, optional
        One line a problem, with ``column, code, message``, on the rows' own numbers.
    words : str or None
        What is to be typed before it may be sent.
    settled : mapping
        Further arguments that come of the check, such as the number that is typed.
    plot : callable, optional
        Draws it.
    """

    ready: int
    said: str
    lines: Sequence[str] = ()
    reasons: Mapping[str, int] = field(default_factory=dict)
    problems: pd.DataFrame | None = None
    words: str | None = None
    settled: Mapping[str, Any] = field(default_factory=dict)
    plot: Callable[[], Any] | None = None


class Reading(Protocol):
    """What a function returns that brings frames home: it knows the run that read them."""

    @property
    def run(self) -> Run:
        """The run."""


Result = Run | Reading


def run_of(result: Result) -> Run:
    """Return the run of what a public function returned."""
    return result if isinstance(result, Run) else result.run


Plan = Callable[[Client, Any, Mapping[str, Any]], Planned]


@dataclass(frozen=True)
class Goods:
    """What a run brought home.

    Attributes
    ----------
    title : str
        Of the table, and of the file to download.
    read : callable
        What the function returned, or the run of it → frame.
    plot : callable, optional
        Draws the frame.
    rare : bool
        Whether nothing is said when there are none.
    """

    title: str
    read: Callable[[Any], pd.DataFrame]
    plot: Callable[[pd.DataFrame], Any] | None = None
    rare: bool = False


@dataclass(frozen=True)
class Job:
    """One form in facts; a form of several jobs has a choice of what to do.

    Attributes
    ----------
    title, about : str
        Of the form; the second says in a sentence what it does.
    function : str
        The public function's name, for code and, unless `operation` says another, for journals.
    send : callable
        That function: ``send(client, *ahead, data, *, progress, control, **arguments)``.
    plan : callable
        Says what it would do.
    parts : sequence of Part
        The fields.
    command : sequence of str
        Words of the shell's command; none when there is no such command.
    json_values : sequence of str
        Parameters of which that command reads each value as JSON.
    rows : bool
        Whether it takes rows. One without them is a single call on what its fields name, and there is no run of it.
    one_first : bool
        Whether the first row can be sent before the others.
    goods : sequence of Goods
        What runs bring home.
    paste : bool
        Whether rows can be pasted ids.
    choice : str
        What it is called in a choice of what to do.
    ahead : sequence of str
        Parameters that stand before the rows, in the function and in the command.
    wants : mapping
        What the command cannot do without and the function can.
    remarks : callable
        What the function returned → what else there is to say of it, a line each.
    second : str
        The parameter of a second input, if there is one; `resume` takes a pair then.
    again : mapping, optional
        Arguments with which the function itself goes on with a journal, where `resume` would do less.
    resumable : bool
        Whether what was not sent is sent later by the same run, and not by a new check.
    operation : str
        What journals call it, if that is not the function's name.
    """

    title: str
    about: str
    function: str
    send: Callable[..., Any]
    plan: Plan
    parts: Sequence[Part]
    command: Sequence[str] = ()
    json_values: Sequence[str] = ()
    rows: bool = True
    one_first: bool = True
    goods: Sequence[Goods] = ()
    paste: bool = False
    choice: str = ""
    ahead: Sequence[str] = ()
    wants: Mapping[str, str] = field(default_factory=dict)
    remarks: Callable[[Any], Sequence[str]] = lambda _: ()
    second: str = ""
    again: Mapping[str, Any] | None = None
    resumable: bool = True
    operation: str = ""

    @property
    def labels(self) -> dict[str, str]:
        """All parameters that have a field, and what the form calls them."""
        return {name: label for part in self.parts for name, label in part.labels.items()}

    def arguments(self) -> dict[str, Any]:
        """Return all that was chosen, as the function's keywords."""
        return {name: value for part in self.parts for name, value in part.arguments().items()}


Launch = Callable[[Callable[[Progress], None], Control], Result]
"""Starts a run that tells how far it is, and can be stopped."""
