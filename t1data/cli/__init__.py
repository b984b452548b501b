"""The command line: thin faces over the public functions, one exit code for each way a command can end."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

import click

from t1data.cli.listing import Commands, Listing
from t1data.cli.signals import signals_as_interrupts
from t1data.cli.talk import Exit, say, silence_stdout
from t1data.errors import T1DataError

_EPILOG = """\b
Exit codes:
  0    every row was accepted; for a check: every row can be sent
  1    an error of t1data itself, --debug shows where; for diffs and `profiles verify`: they differ
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


_COMMANDS = Commands(
    {
        "audiences": "Compare, plan and change audiences.",
        "config": "Name environments, and say where their keys are to be found.",
        "coupons": "Reserve coupons for customers, release them, and read who holds them.",
        "customers": "Erase the personal data of customers, with evidence, and verify it later.",
        "demo": "See it all once, on this machine alone.",
        "events": "Track custom events of customers.",
        "exports": "Write files that are safe for whom they are meant for.",
        "inventories": "Read what customers hold: profile, coupons, referrals, points, giveaways, achievements.",
        "profiles": "Check, plan, upsert and verify customer profiles from a file.",
        "referrals": "Plan and create referral codes for the advocates of a file.",
        "runs": "List runs, look into one, write its outcomes, stop it, go on with it.",
        "sandbox": "Serve a local Talon.One until Ctrl-C or SIGTERM.",
        "sessions": "Replay customer sessions from files; with --dry as a what-if run that changes nothing.",
    }
)


@dataclass
class State:
    """What the outermost command was told."""

    debug: bool = False


@click.group(
    cls=Listing,
    commands=_COMMANDS,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
@click.version_option(package_name="t1data", message="t1data %(version)s")  # looked up when asked: it takes 30 ms
@click.pass_obj
def cli(state: State | None, debug: bool) -> None:
    """Move customers between files and Talon.One, with one outcome for every row."""
    if state is not None:
        state.debug = debug


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
        from t1data.cli.options import in_flags  # with all that commands need, and most calls end well

        say(f"Error: {in_flags(str(error))}")
        return Exit.REFUSED_TO_START
    # Its words may hold a customer's data, so they are for --debug alone.
    say(f"Error: t1data failed with {type(error).__name__}; `t1data --debug …` shows where.")
    return Exit.BROKEN
