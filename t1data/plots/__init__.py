"""Pictures of what the jobs return.

Each ``plot_`` function draws on the axes it is given, or on a figure of its own, and returns the axes. Nothing is
shown and pyplot's state is never touched, so pictures can be drawn in any thread and without a display. Axes on a
figure of their own are shown by a notebook when they are the last value of a cell.

A picture has no background of its own, and its colours are chosen to be read on white and on near black alike.
What it shows is also said in words: see `describe`.
"""

from t1data.plots.balances import plot_balances
from t1data.plots.canvas import describe, save_picture
from t1data.plots.changes import plot_changes
from t1data.plots.coupons import plot_coupons
from t1data.plots.effects import plot_effects
from t1data.plots.outcomes import plot_outcomes
from t1data.plots.overlaps import plot_overlaps
from t1data.plots.runs import plot_run

__all__ = [
    "describe",
    "plot_balances",
    "plot_changes",
    "plot_coupons",
    "plot_effects",
    "plot_outcomes",
    "plot_overlaps",
    "plot_run",
    "save_picture",
]
