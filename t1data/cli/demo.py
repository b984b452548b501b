"""``t1data demo``: the whole way once, from a file of real customers into a local Talon.One and back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from t1data.cli.comparison import Comparison, compare
from t1data.cli.signals import signals_stop_a_run
from t1data.cli.summary import counts_in_words, say_run
from t1data.cli.talk import Exit, exit_of, folded, say, tell_at_last, typed
from t1data.errors import InputError

if TYPE_CHECKING:
    from t1data.bulk.progress import Control
    from t1data.client import Client
    from t1data.journal.runs import Run

_ROOT = Path(__file__).parents[2]  # of a clone; in an installed copy there is no sample data
_READ_BACK = 25
_MARK = ".t1data-demo"
_JOURNAL, _OUTCOMES, _PICTURE = "journal.sqlite", "outcomes.csv", "run.png"
_OURS = (_JOURNAL, f"{_JOURNAL}-wal", f"{_JOURNAL}-shm", _OUTCOMES, _PICTURE)


@dataclass(frozen=True)
class Places:
    """Where the demo reads and writes."""

    data: Path
    folder: Path

    @property
    def profiles(self) -> Path:
        """The customers."""
        return self.data / "profiles.csv"


@click.command()
@click.option(
    "--folder", default="demo-run", show_default=True, metavar="FOLDER", help="Where to put what the demo writes."
)
def demo(*, folder: str) -> int:
    """See it all once, on this machine alone.

    Sends 23,570 real customers into a local Talon.One, reads some back and compares them with the file.
    """
    from t1data.client import Client
    from t1data.sandbox import Sandbox

    places = Places(find_sample_data(Path(), _ROOT), clear_folder(Path(folder)))
    with Sandbox() as sandbox:
        _say_step(f"A local Talon.One listens at {sandbox.base_url}")
        sandbox.load(places.data)
        with Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key) as client:
            with signals_stop_a_run() as stop:
                run = _send(client, places, stop.control)
            comparison = _read_back(client, places) if run.complete else None
    if comparison is None:
        say_run(run, interrupted=stop.asked)
    else:
        _say_results(run, places)
    tell_at_last(_last_line(run))
    return exit_of(run, interrupted=stop.asked) or (Exit.ACCEPTED if comparison and comparison.same else Exit.BROKEN)


def find_sample_data(*places: Path) -> Path:
    """Return the folder of the sample data: the first of some places that holds it.

    Raises
    ------
    InputError
        It is in none of them.
    """
    for place in places:
        found = place / "sample_data"
        if (found / "profiles.csv").is_file() and (found / "sandbox.toml").is_file():
            return found
    raise InputError(
        "The sample data is not here: run the demo in the folder of the project, where sample_data is (git clone)."
    )


def clear_folder(folder: Path) -> Path:
    """Make a folder for the results, or take the files of the last demo out of it; other people's files stay.

    Raises
    ------
    InputError
        The folder was not made by a demo.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise InputError(f"{folder} is no folder; name another one with --folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / _MARK).is_file():
        raise InputError(f"{folder} holds files that no demo made; name another folder with --folder")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / _MARK).touch()
        for name in _OURS:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be written to ({error.strerror}); name another folder") from None
    return folder


def _send(client: Client, places: Places, control: Control) -> Run:
    from t1data.profiles import plan_upsert, upsert_profiles

    planned = plan_upsert(client, places.profiles)
    _say_step("The plan")
    for line in planned.lines():
        say(folded(line, indent="  "))
    _say_step(f"Sending, at most {client.rate:g} requests a second")
    run = upsert_profiles(client, places.profiles, journal=places.folder / _JOURNAL, control=control)
    run.write_outcomes(places.folder / _OUTCOMES)
    return run


def _read_back(client: Client, places: Places) -> Comparison:
    _say_step(f"Reading {_READ_BACK} customers back")
    comparison = compare(client, places.profiles, customers=_READ_BACK)
    for line in comparison.lines():
        say(f"  {line}")
    return comparison


def _say_step(title: str) -> None:
    say(f"\n{click.style(title, bold=True)}")


def _say_results(run: Run, places: Places) -> None:
    from t1data.plots import plot_run, save_picture

    save_picture(plot_run(run), places.folder / _PICTURE)
    _say_step(counts_in_words(run))
    for label, line in _where(run, places):
        say(f"  {label:<9} {line}")
    _say_step("What to type next")
    for label, line in _next(run, places):
        say(f"  {line:<62}  {label}")
    say()


def _where(run: Run, places: Places) -> Iterator[tuple[str, str]]:
    yield "Journal", f"{run.journal}  (every request before it left, every answer)"
    yield "Outcomes", f"{places.folder / _OUTCOMES}  (a line for each of the {run.rows:,} rows)"
    yield "Picture", f"{places.folder / _PICTURE}  (how fast, batch by batch)"


def _next(run: Run, places: Places) -> Iterator[tuple[str, str]]:
    data = os.path.relpath(places.data)
    yield "the run again, from its journal", typed("runs", "show", str(run.journal))
    yield "a local Talon.One to work against", typed("sandbox", "--data", data)
    yield "any file of yours, checked, nothing sent", typed("profiles", "check", "FILE")
    yield "all there is", typed("--help")


def _last_line(run: Run) -> str:
    from t1data.journal.runs import last_line

    return last_line(run)
