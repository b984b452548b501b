"""How a run ended, as a page shows it: five counts, reasons, a picture, and rows to download."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as W
import pyarrow as pa

from t1data.errors import InputError
from t1data.forms import html
from t1data.forms.browser import Courier
from t1data.forms.face import spoken
from t1data.forms.goods import goods_widgets
from t1data.forms.held import Held, hold
from t1data.forms.job import Job, Result, run_of
from t1data.forms.pieces import button, row
from t1data.forms.words import OUTCOMES, in_labels, many
from t1data.journal.runs import Run
from t1data.plots import plot_run

MOST_REASONS = 12
FAILED = ("invalid", "refused")
_HEAD = ("Outcome", "Reason", "Rows", "First row", "In words")

if TYPE_CHECKING:
    import pandas as pd

Say = Callable[[str], None]


def outcome_widgets(
    result: Result,
    *,
    job: Job | None,
    courier: Courier,
    say: Say,
    complain: Say,
    show_rows: bool,
) -> list[W.Widget]:
    """Return what is shown of a run that ended.

    Parameters
    ----------
    result : Run or what knows one
        What the function returned.
    job : Job, optional
        What it was a run of, for what it brought home and for the labels of parameters.
    courier : Courier
        Brings downloads.
    say, complain : callable
        Tell how a download went.
    show_rows : bool
        Whether any of the goods are shown.
    """
    run = run_of(result)
    labels = {} if job is None else job.labels
    counts = html.table("Outcome of every row", ["Outcome", "Rows"], _counts(run))
    reasons = html.table("Why not accepted", _HEAD, _reasons(run, labels)) if run.counts["accepted"] != run.rows else ""
    remarks = html.bullets(job.remarks(run)) if job is not None else ""

    def brings(write: Callable[[Path], Any], name: str) -> Callable[[], None]:
        return lambda: bring(courier, write, name, say=say, complain=complain)

    downloads = [
        button("Download outcomes", "One line a row: its outcome and the reason", brings(
            run.write_outcomes, f"outcomes-{run.id}.csv")),
    ]  # fmt: skip
    if failed_rows(run):
        downloads.insert(0, button("Download failed rows", "The failed rows in the columns of the input", brings(
            run.write_failed_rows, f"failed-{run.id}.csv")))  # fmt: skip
    brought = [] if job is None else goods_widgets(result, job.goods, bring=brings, show_rows=show_rows)
    return [
        W.HTML(counts), W.HTML(reasons + remarks), *brought, W.HTML(html.drawing(plot_run(run))), row(downloads)
    ]  # fmt: skip


def failed_rows(run: Run) -> int:
    """Return how many rows could be mended and sent again."""
    return sum(run.counts[name] for name in FAILED)


def hold_failed_rows(run: Run) -> Held:
    """Take the failed rows as new input, in the input's own columns.

    Raises
    ------
    InputError
        The input is no longer there.
    """
    with tempfile.TemporaryDirectory(prefix="t1data-") as folder:
        path = Path(folder) / f"failed-{run.id}.csv"
        try:
            run.write_failed_rows(path)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # cells that no CSV holds, such as lists
            path = path.with_suffix(".parquet")
            run.write_failed_rows(path)
        return hold(path)


def sentence_of(run: Run, *, cancelled: bool, resumable: bool = True) -> str:
    """Say how a run ended, and what to do about rows that are not settled."""
    accepted = many(run.counts["accepted"], "row")
    if run.complete:
        return f"Finished: {accepted} accepted, {failed_rows(run):,} failed."
    rest = []
    if unsent := run.counts["unsent"]:
        rest.append(f"{many(unsent, 'row')} not sent{', which Resume goes on with' if resumable else ''}.")
    if doubt := run.counts["in_doubt"]:
        remedy = ": Resume, or look on the server under Runs" if resumable else ""
        rest.append(f"{many(doubt, 'row')} sent without an answer, so in doubt{remedy}.")
    if not resumable:
        rest.append("Check again: it finds what is left to do.")
    ended = "Cancelled" if cancelled else f"Stopped ({run.stopped or 'rows are in doubt'})"
    return f"{ended}: {accepted} accepted; nothing is lost. {' '.join(rest)}"


def bring(courier: Courier, write: Callable[[Path], Any], name: str, *, say: Say, complain: Say) -> None:
    """Write a file, hand it over, and say where it went, or what kept it from being written."""
    with tempfile.TemporaryDirectory(prefix="t1data-") as folder:
        try:
            write(Path(folder) / name)
            said = courier.bring(Path(folder) / name, name=name)
        except InputError as error:
            complain(str(error))
        else:
            say(said)


def _counts(run: Run) -> list[tuple[str, int]]:
    return [*((spoken(name), run.counts[name]) for name in OUTCOMES), ("all rows", run.rows)]


def _reasons(run: Run, labels: Mapping[str, str]) -> list[tuple[str, str, int, str, str]]:
    failures = run.failures
    failures = failures.assign(row=failures.index.astype(str), reason=failures["reason"].fillna(""))
    groups = failures.groupby(["outcome", "reason"], sort=False)
    found = [
        (
            spoken(str(outcome)),
            spoken(str(reason)),
            len(group),
            *_first(group, labels),
        )
        for (outcome, reason), group in groups
    ]
    return sorted(found, key=lambda line: -line[2])[:MOST_REASONS]


def _first(group: pd.DataFrame, labels: Mapping[str, str]) -> tuple[str, str]:
    """Return the first row of a group, and what is wrong with it in words."""
    message = group["message"].iloc[0]
    return str(group["row"].iloc[0]), in_labels(message, labels) if isinstance(message, str) else ""
