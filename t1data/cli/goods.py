"""What the commands share that bring something home: their plan in words, and the file that the goods go to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from t1data.cli.options import in_flags
from t1data.cli.summary import name_of
from t1data.cli.talk import Exit, folded, say, tell, typed
from t1data.errors import InputError

if TYPE_CHECKING:
    from t1data.journal.runs import Run

_ENDINGS = (".csv", ".parquet", ".xlsx")


class Planned(Protocol):
    """What is read of a plan."""

    @property
    def rows(self) -> int: ...  # noqa: D102
    @property
    def invalid(self) -> int: ...  # noqa: D102
    def lines(self) -> list[str]: ...  # noqa: D102


def say_plan(planned: Planned) -> None:
    """Say to people what would be done."""
    first, *rest = map(in_flags, planned.lines())
    say("\n".join([folded(f"Plan: {first}"), *(folded(line, indent="  ") for line in rest)]))


def tell_plan(planned: Planned) -> int:
    """Tell machines what would be done, in the form of a run's last line, and return the exit code."""
    rest = planned.rows - planned.invalid
    tell({"run": None, "rows": planned.rows, "accepted": 0, "invalid": planned.invalid, "refused": 0, "unsent": rest,
          "in_doubt": 0})  # fmt: skip
    return exit_of_plan(planned)


def exit_of_plan(planned: Planned) -> int:
    """Return the exit code of a plan."""
    return Exit.SOME_NOT_ACCEPTED if planned.invalid else Exit.ACCEPTED


def check_place(path: str | None, *, overwrite: bool) -> None:
    """Refuse a place for a file before anything is sent, and not after.

    Raises
    ------
    InputError
        The file is there, its folder is not, or its ending is of another format.
    """
    if path is None:
        return
    place = Path(path)
    if place.suffix not in _ENDINGS:
        raise InputError(f"{place.name}: it is written as {', '.join(_ENDINGS[:-1])} or {_ENDINGS[-1]}")
    if not place.parent.is_dir():
        raise InputError(f"{place}: there is no folder {place.parent}")
    if place.exists() and not overwrite:
        raise InputError(f"{place} is there already; name another file, or say --overwrite")


def write_goods(run: Run, name: str, path: str | None, *, overwrite: bool) -> bool:
    """Write the outcomes of a run, or a frame that it brought home: for machines as it is, or as a workbook for people.

    Returns
    -------
    bool
        Whether it was written; a full disk must not keep the run's summary from the user.
    """
    from t1data.exports import export_for_machines, export_for_people

    if path is None:
        return True
    write = export_for_people if path.endswith(".xlsx") else export_for_machines
    try:
        if name == "outcomes":
            run.write_outcomes(path, overwrite=overwrite)
        else:
            frame = run.goods(name)
            write(frame.reset_index(drop=frame.index.name is None), path, overwrite=overwrite)
    except InputError as error:
        say(f"Error: {error}. The journal has it all: {typed('runs', 'show', name_of(run))}")
        return False
    if name != "outcomes":  # the summary names their file
        say(f"{name.capitalize():<9} {path}")
    return True
