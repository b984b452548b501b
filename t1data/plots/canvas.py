"""What all pictures share: axes that a notebook shows, colours, the title, and the words for it all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.transforms import offset_copy

from t1data.errors import InputError

# White and #111111 differ by 18.9 to 1, so no colour can have more than 4.35 to 1 against both. Ink comes close
# to that, and every other colour has at least 3 to 1.
INK = "#797979"
COLOURS = {
    "accepted": "#1478b8",
    "invalid": "#b0608c",
    "refused": "#cf5c0a",
    "unsent": "#797979",
    "in_doubt": "#9a7300",
}
SCREEN_DPI = 144


class Picture(Axes):
    """Axes that a notebook shows; it would not, for a figure that pyplot does not know."""

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        words = describe(self)
        return {"image/png": as_png(self, dpi=SCREEN_DPI), "text/plain": words}, {"image/png": {"alt": words}}


def new_axes(*, height: float) -> Axes:
    """Make a figure without a background, 8 inches wide, and return its only axes."""
    margins = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)
    figure = Figure(figsize=(8.0, height), layout=margins, facecolor="none")
    ax = figure.add_subplot(axes_class=Picture)
    ax.patch.set_visible(False)
    return ax


def write_title(ax: Axes, counts: Mapping[str, int]) -> None:
    """Say above the axes how many rows were accepted, and on a second line all five counts."""
    headline = f"{counts['accepted']:,} of {number(sum(counts.values()), 'row', 'rows')} accepted"
    write_headline(ax, headline, [f"{in_words(outcome)} {counts[outcome]:,}" for outcome in COLOURS])


def write_headline(ax: Axes, headline: str, details: Sequence[str]) -> None:
    """Say above the axes what matters most, and on a second line the details; both become the picture's words."""
    ax.set_title(headline, loc="left", color=INK, fontsize=13, fontweight="bold", pad=26)
    above = offset_copy(ax.transAxes, fig=ax.get_figure(root=True), y=9, units="points")
    ax.text(0, 1, "  ·  ".join(details), transform=above, color=INK, fontsize=10, parse_math=False)
    ax.set_label(" ".join([f"{headline}.", *([sentence(", ".join(details))] if details else [])]))
    ax.tick_params(colors=INK)
    ax.spines[:].set_color(INK)


def say_instead(ax: Axes, words: str) -> None:
    """Write a sentence where there is nothing to draw."""
    ax.text(0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center", color=INK)
    ax.set_axis_off()
    add_words(ax, words)


def add_words(ax: Axes, words: str) -> None:
    """Add a sentence to what `describe` returns."""
    ax.set_label(f"{describe(ax)} {words}")


def describe(ax: Axes) -> str:
    """Say in words what a picture of this module shows, for people who do not see it.

    `save_picture` writes these words into the file, and notebooks get them as the picture's alternative text.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> describe(Figure().add_subplot(label="Nothing yet."))
    'Nothing yet.'
    """
    return str(ax.get_label())


def save_picture(ax: Axes, path: str | os.PathLike[str], *, dpi: int = 160) -> Path:
    """Write the figure that `ax` is on as a PNG file, whole or not at all.

    Parameters
    ----------
    ax : Axes
        What a ``plot_`` function returned.
    path : path-like
        The file, which must end in ``.png``. A file that is there already is replaced.
    dpi : int
        Dots an inch.

    Returns
    -------
    Path
        `path`. The words of `describe` are in the file as its text chunk ``Description``.

    Raises
    ------
    InputError
        When the name does not end in ``.png``.
    OSError
        When the file cannot be written; what was there before is still there then.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> save_picture(Figure().add_subplot(), "run.jpeg")
    Traceback (most recent call last):
        ...
    t1data.errors.InputError: a picture is written as PNG, so its name must end in .png: run.jpeg
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise InputError(f"a picture is written as PNG, so its name must end in .png: {path.name}")
    words = {"Title": ax.get_title("left"), "Description": describe(ax), "Software": "t1data"}
    _write_whole(path, as_png(ax, dpi=dpi, metadata=words))
    return path


def as_png(ax: Axes, *, dpi: int, metadata: Mapping[str, str] | None = None) -> bytes:
    """Return the figure that `ax` is on as the bytes of a PNG file."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    png = BytesIO()
    figure.savefig(png, format="png", dpi=dpi, facecolor="auto", metadata=metadata)
    return png.getvalue()


def sentence(words: str) -> str:
    """Write words as a sentence: with a capital letter and a full stop."""
    return f"{words[:1].upper()}{words[1:]}."


def shortened(words: str, longest: int) -> str:
    """Cut words that are longer than there is room for."""
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def number(count: int, one: str, many: str) -> str:
    """Write a count with its noun: ``"1 batch"``, ``"2,000 batches"``."""
    return f"{count:,} {one if count == 1 else many}"


def duration(seconds: float) -> str:
    """Write a length of time in the largest unit of which there are two: ``"90 s"``, ``"2.5 h"``."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.3g} {unit}"
    return f"{seconds:.3g} s"


def in_words(outcome: str) -> str:
    """Write an outcome as people say it: ``"in doubt"``."""
    return outcome.replace("_", " ")


def _write_whole(path: Path, content: bytes) -> None:
    """Write beside `path` first: a reader finds the old file or the new one, never half of one."""
    part = path.with_name(f".{path.stem}-{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
