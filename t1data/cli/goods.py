"""What the commands share that plan and send: the plan in words, and the files that outcomes and goods go to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from t1data.cli.options import in_flags
from t1data.cli.summary import name_of, say_run
from t1data.cli.talk import Exit, exit_of, folded, say, tell, tell_at_last, typed
from t1data.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from t1data.journal.runs import Run

Files = Mapping[str, str | None]
"""``"outcomes"``, or the name of a frame that the run brings home → the file for it, if it was named."""

_FOR_MACHINES, _FOR_PEOPLE = (".csv", ".parquet"), (".xlsx",)


class Planned(Protocol):
    """What is read of a plan."""

    @property
    def rows(self) -> int: ...  # noqa: D102
    @property
    def invalid(self) -> int: ...  # noqa: D102
    def lines(self) -> list[str]: ...  # noqa: D102


def plan_in_words(planned: Planned) -> str:
    """Return what would be done, a line for each thing to know."""
    first, *rest = (in_flags(line, ahead=False) for line in planned.lines())
    return "\n".join([folded(f"Plan: {first}"), *(folded(line, indent="  ") for line in rest)])


def tell_plan(planned: Planned) -> int:
    """Tell machines what would be done, in the form of a run's last line, and return the exit code."""
    rest = planned.rows - planned.invalid
    counts = {"accepted": 0, "invalid": planned.invalid, "refused": 0, "unsent": rest, "in_doubt": 0}
    tell({"run": None, "rows": planned.rows, **counts})
    return exit_of_plan(planned)


def exit_of_plan(planned: Planned) -> int:
    """Return the exit code of a plan."""
    return Exit.SOME_NOT_ACCEPTED if planned.invalid else Exit.ACCEPTED


def check_files(files: Files, *, overwrite: bool) -> None:
    """Refuse a place for a file before anything is sent, and not after.

    Raises
    ------
    InputError
        A file is there, its folder is not, its ending is of another format, or two are to be one.
    """
    named = {name: Path(path) for name, path in files.items() if path is not None}
    for name, path in named.items():
        _check_file(name, path, overwrite=overwrite)
    if len(set(named.values())) < len(named):
        raise InputError("one file cannot hold two of what is asked for; name another one for each")


def _check_file(name: str, path: Path, *, overwrite: bool) -> None:
    endings = _FOR_MACHINES if name == "outcomes" else (*_FOR_MACHINES, *_FOR_PEOPLE)
    if path.suffix not in endings:
        raise InputError(f"{path.name}: {name} are written as {', '.join(endings[:-1])} or {endings[-1]}")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}")
    if path.exists() and not overwrite:
        raise InputError(f"{path} is there already; name another file, or say --overwrite")


def write_files(run: Run, files: Files, *, overwrite: bool) -> bool:
    """Write the outcomes of a run, and what it brought home: for machines as it is, or as a workbook for people.

    Returns
    -------
    bool
        Whether all was written; a full disk must not keep the run's summary from the user.
    """
    return all([_written(run, name, path, overwrite=overwrite) for name, path in files.items() if path is not None])


def finish(run: Run, files: Files, *, overwrite: bool, go_on: Sequence[str], interrupted: bool) -> int:
    """Write what was asked for, say what the run did, tell it machines in the last line, and return the exit code."""
    from t1data.journal.runs import last_line

    outcomes = files.get("outcomes")
    told = write_files(run, {"outcomes": outcomes}, overwrite=overwrite)
    say_run(run, outcomes=outcomes if told else None, go_on=go_on, interrupted=interrupted)
    goods = {name: path for name, path in files.items() if name != "outcomes"}
    written = write_files(run, goods, overwrite=overwrite) and told
    tell_at_last(last_line(run))
    return exit_of(run, interrupted=interrupted) or (Exit.ACCEPTED if written else Exit.BROKEN)


def _written(run: Run, name: str, path: str, *, overwrite: bool) -> bool:
    try:
        _write_file(run, name, path, overwrite=overwrite)
    except InputError as error:
        again = ("outcomes", name_of(run), "--to", path) if name == "outcomes" else ("show", name_of(run))
        say(f"Error: {error}. The journal has it all: {typed('runs', *again)}")
        return False
    return True


def _write_file(run: Run, name: str, path: str, *, overwrite: bool) -> None:
    if name == "outcomes":
        run.write_outcomes(path, overwrite=overwrite)
        return  # the summary names the file
    write_frame(run.goods(name), path, overwrite=overwrite)
    say(f"{name.capitalize():<9} {path}")


def write_frame(frame: pd.DataFrame, path: str, *, overwrite: bool) -> None:
    """Write a frame, and its index when it has a name: for machines as it is, or as a workbook for people."""
    from t1data.exports import export_for_machines, export_for_people

    write = export_for_people if path.endswith(_FOR_PEOPLE) else export_for_machines
    write(frame.reset_index(drop=frame.index.name is None), path, overwrite=overwrite)
