"""What the command line says, to people on standard error and to machines on standard output, and its exit codes."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import textwrap
from contextlib import suppress
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from t1data.journal.runs import Run


class Exit(IntEnum):
    """How a command ended; `t1data --help` says it in words."""

    ACCEPTED = 0
    BROKEN = 1
    REFUSED_TO_START = 2
    SOME_NOT_ACCEPTED = 3
    INCOMPLETE = 4
    IN_DOUBT = 5
    INTERRUPTED = 130
    PIPE_CLOSED = 141


def exit_of(run: Run, *, interrupted: bool = False) -> Exit:
    """Return the exit code of a run, and of one that a signal stopped before it was complete."""
    if interrupted and not run.complete:
        return Exit.INTERRUPTED
    if run.counts["in_doubt"]:
        return Exit.IN_DOUBT
    if run.counts["unsent"]:
        return Exit.INCOMPLETE
    return Exit.ACCEPTED if run.counts["accepted"] == run.rows else Exit.SOME_NOT_ACCEPTED


def say(text: str = "") -> None:
    """Say something to people. A terminal that has gone away does not end the command."""
    with suppress(OSError):
        click.echo(text, err=True)


def folded(line: str, *, indent: str = "") -> str:
    """Break a long line between words where a person watches; a file gets it as it is."""
    if not sys.stderr.isatty():
        return indent + line
    width = max(40, shutil.get_terminal_size().columns - 1)
    deeper = f"{indent}  "
    return textwrap.fill(
        line, width, initial_indent=indent, subsequent_indent=deeper, break_long_words=False, break_on_hyphens=False
    )


def tell(value: Any) -> None:
    """Write one line of JSON for machines."""
    click.echo(json.dumps(value, ensure_ascii=False, allow_nan=False))


def tell_at_last(line: str) -> None:
    """Write the last line of a command that sent something; its exit code stands even when nobody reads any more."""
    try:
        click.echo(line)
        sys.stdout.flush()
    except OSError:
        silence_stdout()


def silence_stdout() -> None:
    """Give the interpreter another place for what it would still write into a closed pipe at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def typed(*words: str) -> str:
    """Return a command as the user of this process would type it.

    After ``make demo`` the program is in ``.venv`` and not on the path; a line to copy must work all the same.
    """
    program = sys.argv[0]
    found = shutil.which("t1data")
    on_path = found is not None and os.path.realpath(found) == os.path.realpath(program)
    known = os.path.basename(program) == "t1data" and not on_path
    return shlex.join([os.path.relpath(program) if known else "t1data", *words])
