"""What the commands with effects share: their plan in words, and the files that their frames go to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from t1data.cli.profiles import check_outcomes_file
from t1data.cli.summary import name_of
from t1data.cli.talk import Exit, folded, say, tell, typed
from t1data.errors import InputError

if TYPE_CHECKING:
    from t1data.journal.runs import Run
    from t1data.sessions import RowPlan


def check_files(paths: Iterable[str | None], *, overwrite: bool) -> None:
    """Refuse a place for a file before anything is sent, and two files in one place."""
    named = [path for path in paths if path is not None]
    for path in named:
        check_outcomes_file(path, overwrite=overwrite)
    if len(set(named)) < len(named):
        raise InputError("one file cannot hold two of what is asked for; name another one for each")


def say_row_plan(planned: RowPlan) -> None:
    """Say what would be done."""
    first, *rest = planned.lines()
    say("\n".join([folded(f"Plan: {first}"), *(folded(line, indent="  ") for line in rest)]))


def tell_row_plan(planned: RowPlan) -> int:
    """Tell machines what would be done, and return the exit code."""
    zero = {"accepted": 0, "invalid": planned.invalid, "refused": 0, "unsent": planned.rows - planned.invalid}
    tell({"run": None, "rows": planned.rows, **zero, "in_doubt": 0})
    return Exit.SOME_NOT_ACCEPTED if planned.invalid else Exit.ACCEPTED


def write_frames(run: Run, files: Mapping[str, str | None], *, overwrite: bool) -> bool:
    """Write what a run brought home to the files that were named; a full disk must not keep its summary from the user.

    Parameters
    ----------
    run : Run
        It.
    files : mapping of str to str or None
        ``"outcomes"``, or the name of a frame of goods → the file.
    overwrite : bool
        Replace files that are there.

    Returns
    -------
    bool
        Whether all were written.
    """
    from t1data.exports import export_for_machines

    try:
        for name, path in files.items():
            if path is None:
                continue
            if name == "outcomes":
                run.write_outcomes(path, overwrite=overwrite)
            else:
                export_for_machines(run.goods(name).reset_index(), path, overwrite=overwrite)
            say(f"{name.capitalize():<9} {path}")
    except InputError as error:
        say(f"Error: {error}. The journal has it all: {typed('runs', 'show', name_of(run))}")
        return False
    return True
