"""What a run brought home, as a page shows it: how much, five lines of one frame, and all of it to download."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as W

from t1data.errors import InputError
from t1data.exports import export_for_people
from t1data.forms import html
from t1data.forms.face import spoken
from t1data.forms.fields import LAYOUT, STYLE
from t1data.forms.job import Goods, Result, run_of
from t1data.forms.pieces import button, row

SHOWN = 5
LONGEST = 60  # letters of a cell; the file has all

if TYPE_CHECKING:
    import pandas as pd

Bring = Callable[[Callable[[Path], Any], str], Callable[[], None]]
"""Of what writes a file, and its name: what a button does that brings it."""


def goods_widgets(result: Result, goods: Sequence[Goods], *, bring: Bring, show_rows: bool) -> list[W.Widget]:
    """Return what is shown of the goods of a run.

    Parameters
    ----------
    result : Run or what knows one
        What the function returned.
    goods : sequence of Goods
        All kinds that such a run can bring.
    bring : callable
        Makes a button's act of what writes a file.
    show_rows : bool
        Whether any line is shown.
    """
    try:
        read = [(each, each.read(result)) for each in goods]
    except InputError:  # a run that was left behind, whose rows were in memory
        return [W.HTML(html.note("What it brought home is shown once its rows are chosen under 1. Rows."))]
    found = [(each, frame) for each, frame in read if not (each.rare and frame.empty)]
    if len(found) > 1:
        return _several(result, found, bring=bring, show_rows=show_rows)
    return [widget for each, frame in found for widget in _one(result, each, frame, bring=bring, show_rows=show_rows)]


def _one(result: Result, each: Goods, frame: pd.DataFrame, *, bring: Bring, show_rows: bool) -> list[W.Widget]:
    name = each.title.lower()
    told = html.note(f"{each.title}: {len(frame):,}.") + _first_lines(each, frame, show_rows=show_rows)
    write = _writer(result, each)
    return [
        W.HTML(told),
        row([button(f"Download {name}", f"All {name}, a line each", bring(write, _file(result, each)))]),
    ]


def _several(
    result: Result, found: Sequence[tuple[Goods, pd.DataFrame]], *, bring: Bring, show_rows: bool
) -> list[W.Widget]:
    titles = [(each.title, place) for place, (each, _) in enumerate(found)]
    pick = W.Dropdown(options=titles, description="Table", style=STYLE, layout=LAYOUT)
    shown = W.HTML(_first_lines(*found[0], show_rows=show_rows))

    def turn(change: dict[str, Any]) -> None:
        shown.value = _first_lines(*found[change["new"]], show_rows=show_rows)

    def download() -> None:
        each = found[pick.value][0]
        bring(_writer(result, each), _file(result, each))()

    pick.observe(turn, "value")
    heads = html.table("What was brought home", ["Table", "Lines"], [(each.title, len(frame)) for each, frame in found])
    return [W.HTML(heads), pick, shown, row([button("Download this table", "All of its lines", download)])]


def _writer(result: Result, each: Goods) -> Callable[[Path], Any]:
    return lambda path: export_for_people(each.read(result), path)


def _file(result: Result, each: Goods) -> str:
    return f"{each.title.lower().replace(' ', '-')}-{run_of(result).id}.csv"


def _first_lines(each: Goods, frame: pd.DataFrame, *, show_rows: bool) -> str:
    picture = "" if each.plot is None or frame.empty else html.drawing(each.plot(frame))
    if not show_rows or frame.empty:
        return picture
    head = frame.head(SHOWN).dropna(axis="columns", how="all").astype("string").fillna("").map(_shortened)
    names = [spoken(str(name)) for name in head.columns]
    title = each.title if len(head) == len(frame) else f"{each.title}, the first {len(head)}"
    return html.table(title, names, head.itertuples(index=False), wide=True) + picture


def _shortened(cell: str) -> str:
    return cell if len(cell) <= LONGEST else f"{cell[:LONGEST]}…"
