"""How a run ended, as a page shows it: five counts, reasons, a picture, and rows to download."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as W
import pyarrow as pa

from t1data.errors import InputError
from t1data.forms import html
from t1data.forms.browser import Courier
from t1data.forms.face import button, row, spoken
from t1data.forms.held import Held, hold
from t1data.forms.job import Goods
from t1data.forms.words import OUTCOMES, in_labels, many
from t1data.journal.runs import Run
from t1data.plots import describe, plot_run
from t1data.plots.canvas import as_png

MOST_REASONS = 12
SHOWN = 5
FAILED = ("invalid", "refused")
_HEAD = ("Outcome", "Reason", "Rows", "First row", "In words")

if TYPE_CHECKING:
    import pandas as pd

Say = Callable[[str], None]


def outcome_widgets(
    run: Run,
    *,
    courier: Courier,
    say: Say,
    complain: Say,
    goods: Goods | None,
    labels: Mapping[str, str],
    show_rows: bool,
) -> list[W.Widget]:
    """Return what is shown of a run that ended.

    Parameters
    ----------
    run : Run
        It.
    courier : Courier
        Brings downloads.
    say, complain : callable
        Tell how a download went.
    goods : Goods, optional
        What the run brought home.
    labels : mapping
        Parameter → what the form calls it, for reasons that name parameters.
    show_rows : bool
        Whether any of the goods are shown.
    """
    counts = html.table("Outcome of every row", ["Outcome", "Rows"], _counts(run))
    reasons = html.table(
        "Why not accepted", ["Outcome", "Reason", "Rows", "First row", "In words"], _reasons(run, labels)
    )
    shown = [W.HTML(counts), W.HTML(reasons if run.counts["accepted"] != run.rows else ""), W.HTML(_picture(run))]
    if goods is not None:
        shown.append(W.HTML(_goods(run, goods, show_rows=show_rows)))

    def bring(write: Callable[[Path], Any], name: str) -> Callable[[], None]:
        return lambda: _bring(courier, write, name, say=say, complain=complain)

    downloads = [
        button("Download outcomes", "One line a row: its outcome and the reason", bring(
            run.write_outcomes, f"outcomes-{run.id}.csv")),
    ]  # fmt: skip
    if failed_rows(run):
        downloads.insert(0, button("Download failed rows", "The failed rows in the columns of the input", bring(
            run.write_failed_rows, f"failed-{run.id}.csv")))  # fmt: skip
    if goods is not None:
        name = goods.title.lower()
        downloads.insert(0, button(f"Download {name}", f"All {name}, a line each", bring(
            lambda path: goods.read(run).to_csv(path, index=False), f"{name}-{run.id}.csv")))  # fmt: skip
    return [*shown, row(downloads)]


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


def sentence_of(run: Run, *, cancelled: bool) -> str:
    """Say how a run ended, and what to do about rows that are not settled."""
    accepted = many(run.counts["accepted"], "row")
    if run.complete:
        return f"Finished: {accepted} accepted, {failed_rows(run):,} failed."
    rest = []
    if unsent := run.counts["unsent"]:
        rest.append(f"{many(unsent, 'row')} not sent, which Resume goes on with.")
    if doubt := run.counts["in_doubt"]:
        rest.append(
            f"{many(doubt, 'row')} sent without an answer, so in doubt: Resume, or look on the server under Runs."
        )
    ended = "Cancelled" if cancelled else f"Stopped ({run.stopped or 'rows are in doubt'})"
    return f"{ended}: {accepted} accepted; nothing is lost. {' '.join(rest)}"


def _bring(courier: Courier, write: Callable[[Path], Any], name: str, *, say: Say, complain: Say) -> None:
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


def _picture(run: Run) -> str:
    axes = plot_run(run)
    return html.picture(base64.b64encode(as_png(axes, dpi=80)).decode(), describe(axes))


def _goods(run: Run, goods: Goods, *, show_rows: bool) -> str:
    frame = goods.read(run)
    told = html.note(f"{goods.title}: {len(frame):,}.")
    if not show_rows or frame.empty:
        return told
    head = frame.head(SHOWN).dropna(axis="columns", how="all").astype("string").fillna("")
    names = [spoken(str(name)) for name in head.columns]
    return told + html.table(f"{goods.title}, the first {len(head)}", names, head.itertuples(index=False))
