"""The options of the profile commands as one table: each row feeds one parameter of the public functions.

A test holds the table against the signatures in both directions.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from t1data.cli import values

Command = Callable[..., Any]


@dataclass(frozen=True)
class Option:
    """One option of a command.

    Attributes
    ----------
    flag : str
        As typed: ``"--tz"``.
    parameter : str
        The parameter of the public function that it feeds.
    help : str
        One sentence for ``--help``.
    metavar : str, optional
        Stands for the value in ``--help``.
    choices : tuple of str
        The values that are possible, when they are few.
    read : callable, optional
        Makes of what was typed what the function takes; a ValueError is wrong usage.
    repeat : bool
        Whether the option can be given several times.
    kind : type or click.ParamType
        Of the value; bool makes a switch.
    """

    flag: str
    parameter: str
    help: str
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    read: Callable[[Any], Any] | None = None
    repeat: bool = False
    kind: Any = str

    def decorate(self, command: Command) -> Command:
        """Give a command this option."""
        shared: dict[str, Any] = {"help": self.help, "callback": self._callback}
        if self.kind is bool:
            return click.option(self.flag, self.parameter, is_flag=True, default=None, **shared)(command)
        shared["type"] = click.Choice(self.choices) if self.choices else self.kind
        return click.option(self.flag, self.parameter, metavar=self.metavar, multiple=self.repeat, **shared)(command)

    def _callback(self, ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        if self.read is None or value is None or value == ():
            return value
        try:
            return self.read(value)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx=ctx, param=param) from None


READING = (
    Option("--id", "id", "The column of the integration ids (default: integration_id).", "COLUMN"),
    Option(
        "--attribute",
        "attributes",
        "A column to send, and the attribute it goes to if that has another name. Repeat it for more columns"
        " (default: all columns but the id).",
        "COLUMN[=ATTRIBUTE]",
        read=values.attributes,
        repeat=True,
    ),
    Option(
        "--type",
        "types",
        "A column's type: string, number, boolean, time, location or (list string) and the like. Repeat it.",
        "COLUMN=TYPE",
        read=values.types,
        repeat=True,
    ),
    Option(
        "--default",
        "defaults",
        "What a column's empty cells stand for, read like a cell of the column. Where the column's name holds a =,"
        r" write that as \=. Repeat it.",
        "COLUMN=VALUE",
        read=values.defaults,
        repeat=True,
    ),
    Option(
        "--constant",
        "constants",
        'An attribute that all rows get. The value is JSON where it can be read as JSON (12, true, [..], "12" in'
        " quotes for text), and text otherwise. Repeat it.",
        "ATTRIBUTE=VALUE",
        read=values.constants,
        repeat=True,
    ),
    Option(
        "--missing",
        "missing",
        "Whether an empty cell leaves its attribute alone or clears it (default: omit). For some columns only: repeat"
        " COLUMN=clear.",
        "omit|clear|COLUMN=omit|COLUMN=clear",
        read=values.missing,
        repeat=True,
    ),
    Option(
        "--duplicates",
        "duplicates",
        "Of rows with one id that contradict each other, send none, the first or the last (default: reject).",
        choices=("reject", "first", "last"),
    ),
    Option("--tz", "tz", "The zone of times that name none, such as Europe/Berlin.", "ZONE"),
    Option("--decimal", "decimal", "The decimal mark of numbers in text (default: .).", choices=(".", ",")),
    Option("--encoding", "encoding", "The encoding of a text file; UTF-8 when left out.", "NAME"),
    Option(
        "--delimiter",
        "delimiter",
        r"What separates the fields of a text file, \t for a tab; found in the header when left out.",
        "CHARACTER",
        read=values.delimiter,
    ),
    Option("--sheet", "sheet", "The sheet of a workbook; the only one that holds anything when left out.", "NAME"),
    Option(
        "--truncate-times", "truncate_times", "Cut times to microseconds instead of refusing finer ones.", kind=bool
    ),
    Option(
        "--allow-suspect-ids",
        "allow_suspect_ids",
        "Send ids that look as if a spreadsheet had damaged them.",
        kind=bool,
    ),
    Option(
        "--ids-from-floats",
        "ids_from_floats",
        "Take an id column of floating point numbers, if they are whole and below 2**53.",
        kind=bool,
    ),
    Option(
        "--run-rule-engine",
        "run_rule_engine",
        "Let the campaigns react to each customer; one customer a request.",
        kind=bool,
    ),
    Option(
        "--dry",
        "dry",
        "With --run-rule-engine: send, and have the server evaluate only (--dry-run sends nothing at all).",
        kind=bool,
    ),
)

FILES = tuple(row for row in READING if row.parameter in ("encoding", "delimiter", "sheet"))
"""How a text file or workbook is read."""

SENDING = (
    Option(
        "--journal",
        "journal",
        "The file that records the run (default: a new one in the user's state folder, or in T1DATA_RUNS).",
        "FILE",
    ),
    Option("--connections", "connections", "Requests in flight at once (default: 4).", "N", kind=click.IntRange(min=1)),
    Option(
        "--progress/--no-progress",
        "progress",
        "Show a bar, or none; a bar where a person watches when left out.",
        kind=bool,
    ),
    Option(
        "--resume-old",
        "resume_old",
        "Go on with a run that began more than 24 hours ago, though the account may hold newer values by now.",
        kind=bool,
    ),
)

_EIGHT = Option(
    "--connections", "connections", "Requests in flight at once (default: 8).", "N", kind=click.IntRange(min=1)
)
READING_SENDING = tuple(_EIGHT if row.parameter == "connections" else row for row in SENDING)
"""The same for what only reads, and asks for more at once."""

UPSERTING = (
    *SENDING,
    Option(
        "--only-changed",
        "only_changed",
        "Read every customer first, one request each, and send only rows of which something differs.",
        kind=bool,
    ),
)

# Parameters of the public functions that no row of the table feeds, each with its reason.
WITHOUT_OPTION = {
    "client": "made from the environment, --env, --base-url and --rate",
    "data": "the argument FILE",
    "control": "for threads; a shell stops a run by Ctrl-C or SIGTERM",
}


def collects(name: str, table: Sequence[Option]) -> Callable[[Command], Command]:
    """Give a command the options of a table; what was typed of them reaches it as one mapping called `name`.

    Only what was typed is in the mapping, so that the functions' own defaults are the only ones.
    """

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def collected(**given: Any) -> Any:
            chosen = {row.parameter: given.pop(row.parameter) for row in table}
            typed = {key: value for key, value in chosen.items() if value is not None and value != ()}
            return command(**given, **{name: typed})

        decorated: Command = collected
        for row in reversed(table):
            decorated = row.decorate(decorated)
        return decorated

    return decorate


# Parameters whose words stand in messages too, though the tables above do not have them.
_OF_JOBS = (
    "confirm",
    "max_removed",
    "before",
    "evidence",
    "undoable",
    "dry",
    "run_rule_engine",
    "version",
    "now",
    "profile",
    "same_items",
    "type",
    "type_column",
    "session",
)
_OF_CODES = (
    "campaign_id", "usage_limit", "start_date", "expiry_date", "pattern", "valid_characters", "advocate", "friend",
    "coupon",
)  # fmt: skip
_OF_RUNS = ("data", "incomplete", "resend_in_doubt", "application_id", "overwrite")
_OF_AUDIENCES = ("compare", "memory_limit", "temp_folder", "known", "audience_id", "mode", "method")
_FLAGS = {row.parameter: row.flag.split("/")[0] for row in (*READING, *UPSERTING)}
_FLAGS |= {name: f"--{name.replace('_', '-')}" for name in (*_OF_JOBS, *_OF_CODES, *_OF_RUNS, *_OF_AUDIENCES)}
_FLAGS |= {"columns": "--column", "item_columns": "--item-column", "overwrite": "--overwrite"}
_ANY = "|".join(_FLAGS)

_CALL = re.compile(rf"\b\w+\((?:client, )?run, ((?:{_ANY})=[^()]*)\)")  # resume(client, run, data=...)
_PAIR = re.compile(
    r"\b(attributes|types|defaults|constants|columns|item_columns)=\{(['\"])([^'\"]*)\2: (['\"])([^'\"]*)\4\}"
)
_ITEM = re.compile(r"(?:\bColumn )?\b(defaults|constants)\['(.*?)'\]")
_NAMED = re.compile(rf"""\b({_ANY})=(True|\d+|"[^"]*"|'[^']*'|\.\.\.|\[…\]|\{{…\}})?""")
_AHEAD = re.compile(rf"^({_ANY})(?:\[(.*?)\])?: ")
_UNSAID = (None, "True", "...", "[…]", "{…}")


def in_flags(message: str, *, ahead: bool = True) -> str:
    """Say in options what a message says in keywords of Python; with `ahead`, also the parameter that it begins with.

    Examples
    --------
    >>> in_flags("say which it is by tz=, or say allow_suspect_ids=True")
    'say which it is by --tz, or say --allow-suspect-ids'
    >>> in_flags('map them: attributes={"First Name": "FirstName"}, or give the rows: resume(client, run, data=...)')
    'map them: --attribute "First Name=FirstName", or give the rows: --data'
    """
    words = _CALL.sub(r"\1", message.replace("client.unlock(name)", "--live NAME"))
    words = _AHEAD.sub(_flag_ahead, words) if ahead else words
    words = _PAIR.sub(lambda found: f'{_FLAGS[found[1]]} "{found[3]}={found[5]}"', words)
    return _NAMED.sub(_flag, _ITEM.sub(lambda found: f"{_FLAGS[found[1]]} {found[2]}", words))


def _flag_ahead(found: re.Match[str]) -> str:
    return f"{_FLAGS[found[1]]} {found[2]}: " if found[2] else f"{_FLAGS[found[1]]}: "


def _flag(found: re.Match[str]) -> str:
    flag, value = _FLAGS[found[1]], found[2]
    return flag if value in _UNSAID else f"{flag} {value}"
