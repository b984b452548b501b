"""Pictures of what the jobs return.

Each ``plot_`` function draws on the axes it is given, or on a figure of its own, and returns the axes. Nothing is
shown and pyplot's state is never touched, so pictures can be drawn in any thread and without a display. Axes on a
figure of their own are shown by a notebook when they are the last value of a cell.

A picture has no background of its own, and its colours are chosen to be read on white and on near black alike.
What it shows is also said in words: see `describe`.
"""

from t1data.plots.canvas import describe, save_picture
from t1data.plots.outcomes import plot_outcomes
from t1data.plots.runs import plot_run

__all__ = ["describe", "plot_outcomes", "plot_run", "save_picture"]
