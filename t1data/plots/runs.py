"""The course of a run: how fast its rows were accepted, its batches, its waits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MultipleLocator
from matplotlib.transforms import offset_copy

from t1data.plots.canvas import COLOURS, INK, add_words, duration, in_words, new_axes, number, say_instead, write_title
from t1data.plots.timeline import Timeline, timeline

_TICKS = (1e-4, 2e-4, 5e-4, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30)
_LONG_TICKS = (60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 18_000, 36_000, 86_400, 172_800, 432_000)


class Course(Protocol):
    """What `plot_run` reads of a run."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many rows had each of the five outcomes."""

    @property
    def batches(self) -> pd.DataFrame:
        """One row a batch."""


def plot_run(run: Course, *, ax: Axes | None = None) -> Axes:
    """Draw how fast the rows of a run were accepted, with every batch and every wait.

    Parameters
    ----------
    run : Run
        What a bulk job returned. Read are ``run.counts`` and of ``run.batches`` the columns ``rows``, ``state``,
        ``attempts``, ``started_at`` and ``answered_at`` (times in UTC) and ``waited`` (seconds).
    ax : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes
        Over the time since the first request: rows accepted a second, in steps of about three batches or more;
        below the zero line one tick a batch, at the moment it was first sent; shaded, the waits before a batch
        was sent again. More than a minute without a request in flight is left out and marked.

    Examples
    --------
    >>> import pandas as pd
    >>> from types import SimpleNamespace
    >>> noon = pd.Timestamp("2026-07-01 12:00", tz="UTC")
    >>> run = SimpleNamespace(
    ...     counts={"accepted": 2000, "invalid": 1, "refused": 0, "unsent": 0, "in_doubt": 0},
    ...     batches=pd.DataFrame({
    ...         "rows": [1000, 1000], "state": "done", "attempts": 1, "waited": 0.0,
    ...         "started_at": [noon, noon + pd.Timedelta(seconds=1)],
    ...         "answered_at": [noon + pd.Timedelta(seconds=1), noon + pd.Timedelta(seconds=2)],
    ...     }),
    ... )
    >>> plot_run(run).get_title("left")
    '2,000 of 2,001 rows accepted'
    """
    ax = ax or new_axes(height=3.7)
    write_title(ax, run.counts)
    batches = run.batches  # once: a run reads its journal each time
    sent = batches[batches["started_at"].notna()]
    if sent.empty:
        say_instead(ax, "No request was sent.")
        return ax
    course = timeline(sent)
    _draw_speed(ax, course)
    _draw_waits(ax, course)
    _draw_interruptions(ax, course)
    _draw_time_axis(ax, course)
    _draw_legend(ax)
    add_words(ax, _words(course))
    return ax


def _draw_speed(ax: Axes, course: Timeline) -> None:
    speed, edges = course.speed()
    label = f"rows accepted (mean {course.mean:,.0f} a second)"
    ax.stairs(speed, edges, fill=True, color=COLOURS["accepted"], alpha=0.3)
    ax.stairs(speed, edges, baseline=None, color=COLOURS["accepted"], linewidth=1.6, label=label)
    top = float(speed.max()) or 1.0
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.set_ylim(-0.13 * top, 1.12 * top)
    ax.set_ylabel("rows a second", color=INK)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}" if value >= 0 else ""))
    if not course.rows.any():
        ax.set_yticks([0])
    for outcome in COLOURS:
        _draw_batches(ax, course, outcome=outcome, at_height=-0.065 * top)


def _draw_batches(ax: Axes, course: Timeline, *, outcome: str, at_height: float) -> None:
    sent = course.sent[course.outcome == outcome]
    if len(sent):
        size, width = (8, 1.0) if outcome == "accepted" else (13, 1.8)  # the few must show among the many
        label = f"{number(len(sent), 'batch', 'batches')} {in_words(outcome)}"
        ticks = Line2D(sent, [at_height] * len(sent), linestyle="none", marker="|", label=label)
        ticks.set(color=COLOURS[outcome], markersize=size, markeredgewidth=width)
        ax.add_line(ticks)


def _draw_waits(ax: Axes, course: Timeline) -> None:
    label = f"waiting to send again ({number(course.repeats, 'batch', 'batches')}, {duration(course.waited)})"
    for start, stop in course.waits:
        ax.axvspan(start, stop, color=INK, alpha=0.28, linewidth=0, label=label)
        label = ""


def _draw_interruptions(ax: Axes, course: Timeline) -> None:
    label = f"interrupted ({duration(course.left_out)} left out)"
    for at in course.interruptions:
        ax.axvline(at, color=INK, linestyle=(0, (2, 2)), linewidth=1.4, label=label)
        label = ""


def _draw_time_axis(ax: Axes, course: Timeline) -> None:
    step = next((step for step in _TICKS + _LONG_TICKS if course.end <= 8 * step), course.end / 8)
    size, unit = (3_600, "hours") if step >= 1_800 else (60, "minutes") if step >= 30 else (1, "seconds")
    ax.set_xlim(-0.01 * course.end, 1.01 * course.end)
    ax.xaxis.set_major_locator(MultipleLocator(step))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / size:,.6g}"))
    ax.set_xlabel(f"{unit} since {course.start:%Y-%m-%d %H:%M:%S} UTC", color=INK)
    ax.spines[["top", "right", "bottom"]].set_visible(False)


def _draw_legend(ax: Axes) -> None:
    below = offset_copy(ax.transAxes, fig=ax.get_figure(root=True), y=-38, units="points")
    ax.legend(
        loc="upper left",
        bbox_to_anchor=(0, 0),
        bbox_transform=below,
        ncols=2,
        frameon=False,
        labelcolor=INK,
        fontsize=9,
        handlelength=1.5,
        borderpad=0,
    )


def _words(course: Timeline) -> str:
    waits = f"{number(course.repeats, 'batch', 'batches')} waited {duration(course.waited)} to be sent again"
    sent = f"{number(len(course.sent), 'batch', 'batches')} in {duration(course.end)}"
    return f"{sent}, {course.mean:,.0f} rows accepted a second, {waits if course.repeats else 'no waits'}."
