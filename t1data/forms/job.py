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
    """

    ready: int
    said: str
    lines: Sequence[str] = ()
    reasons: Mapping[str, int] = field(default_factory=dict)
    problems: pd.DataFrame | None = None
    words: str | None = None


Plan = Callable[[Client, Any, Mapping[str, Any]], Planned]
TryOne = Callable[[Client, Any, Mapping[str, Any]], Run]


@dataclass(frozen=True)
class Goods:
    """What a run brought home.

    Attributes
    ----------
    title : str
        Of the table, and of the file to download.
    read : callable
        Run → frame.
    """

    title: str
    read: Callable[[Run], pd.DataFrame]


@dataclass(frozen=True)
class Job:
    """One form in facts.

    Attributes
    ----------
    title, about : str
        Of the form; the second says in a sentence what it does.
    function : str
        The public function's name, for code and journals.
    send : callable
        That function: ``send(client, data, *, progress, control, **arguments)``.
    plan : callable
        Says what it would do.
    parts : sequence of Part
        The fields.
    command : sequence of str
        Words of the shell's command; none when there is no such command.
    json_values : sequence of str
        Parameters of which that command reads each value as JSON.
    try_one : callable, optional
        Sends one row. None where that would not be harmless.
    goods : Goods, optional
        What runs bring home.
    paste : bool
        Whether rows can be pasted ids.
    """

    title: str
    about: str
    function: str
    send: Callable[..., Run]
    plan: Plan
    parts: Sequence[Part]
    command: Sequence[str] = ()
    json_values: Sequence[str] = ()
    try_one: TryOne | None = None
    goods: Goods | None = None
    paste: bool = False

    @property
    def labels(self) -> dict[str, str]:
        """All parameters that have a field, and what the form calls them."""
        return {name: label for part in self.parts for name, label in part.labels.items()}

    def arguments(self) -> dict[str, Any]:
        """Return all that was chosen, as the function's keywords."""
        return {name: value for part in self.parts for name, value in part.arguments().items()}


Launch = Callable[[Callable[[Progress], None], Control], Run]
"""Starts a run that tells how far it is, and can be stopped."""
