"""The command line: thin faces over the public functions, one exit code for each way a command can end."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import click

from t1data.cli import audience_actions, audience_calls
from t1data.cli.audiences import audiences
from t1data.cli.config import config
from t1data.cli.coupons import coupons
from t1data.cli.customers import customers
from t1data.cli.demo import demo
from t1data.cli.events import events
from t1data.cli.exports import exports
from t1data.cli.inventories import inventories
from t1data.cli.options import in_flags
from t1data.cli.profiles import profiles
from t1data.cli.referrals import referrals
from t1data.cli.runs import runs
from t1data.cli.sandbox import sandbox
from t1data.cli.sessions import sessions
from t1data.cli.signals import signals_as_interrupts
from t1data.cli.talk import Exit, say, silence_stdout
from t1data.errors import T1DataError

_EPILOG = """\b
Exit codes:
  0    every row was accepted; for a check: every row can be sent
  1    an error of t1data itself, --debug shows where; for `audiences diff`: they differ
  2    wrong usage, or refused to start: nothing was sent
  3    finished, and some rows are invalid or refused
  4    incomplete: rows are unsent, and `t1data runs resume` goes on
  5    rows are in doubt: sent, and their fate is not known
  130  interrupted (Ctrl-C, SIGTERM or SIGHUP); `t1data runs resume` goes on

\b
Keys come from the environment (T1DATA_API_KEY, T1DATA_MANAGEMENT_KEY) or, with --env, from where
`t1data config` says; never from an option. A command that sends ends its standard output with one
line of JSON: run, rows, accepted, invalid, refused, unsent, in_doubt. All else goes to standard error.
"""


@dataclass
class State:
    """What the outermost command was told."""

    debug: bool = False


@click.group(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
@click.version_option(version("t1data"), message="t1data %(version)s")
@click.pass_obj
def cli(state: State | None, debug: bool) -> None:
    """Move customers between files and Talon.One, with one outcome for every row."""
    if state is not None:
        state.debug = debug


for _command in (
    profiles,
    inventories,
    audiences,
    customers,
    referrals,
    coupons,
    sessions,
    events,
    runs,
    exports,
    sandbox,
    demo,
    config,
):
    cli.add_command(_command)
for _command in (*audience_calls.COMMANDS, *audience_actions.COMMANDS):
    audiences.add_command(_command)


def main() -> None:
    """Run the command line of this process and leave with its exit code."""
    with signals_as_interrupts():
        code = run(sys.argv[1:])
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; whatever goes wrong becomes one sentence on standard error.

    Parameters
    ----------
    arguments : sequence of str
        As typed, without the program's name.

    Examples
    --------
    >>> run(["sandbox", "--port", "none"])
    2
    """
    state = State()
    try:
        code = cli.main(list(arguments), prog_name="t1data", standalone_mode=False, obj=state)
        sys.stdout.flush()
    except SystemExit:  # click's way to end on a pipe that nobody reads any more
        code = Exit.PIPE_CLOSED
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - each kind has its sentence and its exit code
        if state.debug:
            traceback.print_exc()
        code = _ending(error)
    return int(code or 0)


def _ending(error: BaseException) -> int:
    """Say what happened in a sentence and return the exit code."""
    if isinstance(error, click.ClickException):
        error.show()
        return Exit.REFUSED_TO_START
    if isinstance(error, KeyboardInterrupt | click.Abort):
        say("Interrupted. If a run had begun, `t1data runs list` shows it.")
        return Exit.INTERRUPTED
    if isinstance(error, BrokenPipeError):
        silence_stdout()
        return Exit.PIPE_CLOSED
    if isinstance(error, T1DataError):
        say(f"Error: {in_flags(str(error))}")
        return Exit.REFUSED_TO_START
    # Its words may hold a customer's data, so they are for --debug alone.
    say(f"Error: t1data failed with {type(error).__name__}; `t1data --debug …` shows where.")
    return Exit.BROKEN
