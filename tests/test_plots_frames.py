"""Pictures of audiences, coupons, points and campaigns: what they say, and that all of it can be read."""

from __future__ import annotations

import doctest
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from test_plots import _is_drawn, contrast, pixels, texts

import t1data as t1
import t1data.plots.balances
import t1data.plots.bars
import t1data.plots.changes
import t1data.plots.coupons
import t1data.plots.effects
import t1data.plots.overlaps
from t1data.errors import InputError

LONG = "A name that is far too long for any picture, and costs $5 or \\alpha {"


def widths(ax: Axes) -> list[float]:
    return [bar.get_width() for bar in ax.patches]


def loyalty(*rows: tuple[Any, ...]) -> pd.DataFrame:
    names = ["program_id", "ledger", "current_balance", "pending_balance", "spent_balance", "expired_balance"]
    return pd.DataFrame(rows, columns=names)


def campaigns(*rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["campaign_id", "campaign", "discount", "sessions"])


def segments(**sizes: int) -> pd.DataFrame:
    """`ab=3` is a segment of three customers in the audiences a and b alone; `none` is in no audience."""
    names = sorted({name for key in sizes if key != "none" for name in key})
    rows = [[name in key and key != "none" for name in names] for key in sizes]
    return pd.DataFrame(rows, columns=names, dtype=bool).assign(size=list(sizes.values()))


# --- who leaves, stays and joins --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "diff",
    [
        {"removed": 30, "kept": 970, "added": 80},
        SimpleNamespace(counts={"removed": 30, "kept": 970, "added": 80, "changed": 5, "before": 1000}),
        SimpleNamespace(removed=pd.DataFrame({"id": range(30)}), kept=970, added=["x"] * 80),
        {"removed": np.int64(30), "kept": np.int64(970), "added": np.int64(80)},
    ],
)
def test_changes_are_drawn_from_counts_or_from_a_difference(diff: Any):
    ax = t1.plot_changes(diff)
    assert widths(ax) == [30, 970, 80]
    assert ax.get_title("left") == "1,000 members become 1,050"
    assert t1.describe(ax) == (
        "1,000 members become 1,050. 30 leave, 970 stay, 80 join. "
        "Leave, 30 (3.0% of 1,000); stay, 970 (97.0% of 1,000); join, 80 (8.0% of 1,000)."
    )


def test_the_difference_of_two_audiences_can_be_drawn():
    diff = t1.diff_audiences(
        pd.DataFrame({"integration_id": ["a", "b", "c"]}), pd.DataFrame({"integration_id": ["b", "c", "d", "e"]})
    )
    assert widths(t1.plot_changes(diff)) == [1, 2, 2]


def test_an_audience_that_begins_has_no_shares():
    assert t1.describe(t1.plot_changes({"removed": 0, "kept": 0, "added": 3})).endswith("Leave, 0; stay, 0; join, 3.")


@pytest.mark.parametrize(
    "diff",
    [{"removed": 1}, {"removed": -1, "kept": 0, "added": 0}, {"removed": "many", "kept": 1, "added": 1}, 7, None],
)
def test_what_holds_no_counts_is_refused(diff: Any):
    with pytest.raises(InputError, match="must be a count of customers"):
        t1.plot_changes(diff)


# --- overlaps ---------------------------------------------------------------------------------------------


def test_every_combination_has_a_bar_the_largest_first_and_dots_for_its_audiences():
    ax = t1.plot_overlaps(segments(a=30, ab=12, abc=50, b=0))
    assert [round(bar.get_height() * 50) for bar in ax.patches] == [50, 30, 12]
    full = [dots.get_offsets() for dots in ax.collections if len(dots.get_offsets()) and dots.get_alpha() is None]
    assert [len(dots) for dots in full] == [3, 1, 2]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a (92)", "b (62)", "c (50)"]
    assert ax.get_title("left") == "92 customers in 3 audiences"
    assert t1.describe(ax).endswith("62 in more than one. 50 in a and b and c; 30 in a alone; 12 in a and b.")


def test_combinations_beyond_twelve_are_said_in_words():
    names = list("abcd")
    every = {
        "".join(n for n, bit in zip(names, f"{k:04b}", strict=True) if bit == "1") or "none": k + 1 for k in range(16)
    }
    ax = t1.plot_overlaps(segments(**every))
    assert len(ax.patches) == 12
    assert "12 of 16 combinations drawn" in " ".join(texts(ax))
    assert t1.describe(ax).endswith("10 in 4 others.")


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame({"a": [True]}), "no column 'size'"),
        (pd.DataFrame({"size": [1]}), "there is no audience"),
        (pd.DataFrame({"a": ["yes"], "size": [1]}), "column 'a' is not boolean"),
        (pd.DataFrame({f"a{n}": [True] for n in range(13)}).assign(size=1), "13 audiences are more than"),
    ],
)
def test_segments_that_cannot_be_drawn_are_refused(frame: pd.DataFrame, said: str):
    with pytest.raises(InputError, match=said):
        t1.plot_overlaps(frame)


def test_the_overlaps_of_audiences_can_be_drawn():
    frame = segments(a=30, ab=12).rename(columns={"size": "members", "a": "size"})
    found = SimpleNamespace(segments=frame.set_index(["size", "b"]))
    for ax in (t1.plot_overlaps(found), t1.plot_overlaps(found.segments)):
        assert t1.describe(ax).endswith("30 in size alone; 12 in size and b.")


def test_boolean_columns_with_gaps_are_taken():
    frame = pd.DataFrame({"a": pd.array([True, None], "boolean"), "size": pd.array([2, 1], "Int64")})
    assert t1.describe(t1.plot_overlaps(frame)).endswith("2 in a alone; 1 in none of them.")


# --- coupons, points, campaigns ---------------------------------------------------------------------------


def test_coupons_are_counted_by_state_and_those_without_one_too():
    ax = t1.plot_coupons(pd.DataFrame({"state": pd.array(["used", "active", "active", None], "string")}))
    assert widths(ax) == [2, 1, 1]
    assert "Active, 2 (50.0%)" in t1.describe(ax)
    assert "no state, 1 (25.0%)" in t1.describe(ax)


def test_many_states_are_twelve_bars():
    ax = t1.plot_coupons(pd.DataFrame({"state": [f"s{n}" for n in range(20) for _ in range(n + 1)]}))
    assert len(widths(ax)) == 12
    assert sum(widths(ax)) == 210
    assert "9 other states, 45" in t1.describe(ax)


def test_points_are_added_up_for_each_ledger():
    ax = t1.plot_balances(loyalty((5, "", 100, 5, 50, 1), (5, "", 20.5, None, 10, 0), (5, "tier", 1, 0, 0, 0)))
    assert widths(ax) == [120.5, 5, 60, 1, 1]
    assert ax.get_title("left") == "121.50 points to spend in 2 ledgers"
    assert "Program 5, 120.50 current  ·  5 pending  ·  60 spent  ·  1 expired" in t1.describe(ax)
    assert "program 5, ledger tier, 1 current" in t1.describe(ax)


def test_programs_are_called_by_name_where_there_is_one():
    frame = loyalty((5, "", 1, 0, 0, 0), (6, pd.NA, 2, 0, 0, 0)).assign(program=["Stars", None])
    assert t1.describe(t1.plot_balances(frame)).endswith("Program 6, 2 current; Stars, 1 current.")


def test_a_sum_below_zero_is_said_and_has_no_length():
    ax = t1.plot_balances(loyalty((5, "", -10, 0, 30, 0)))
    assert widths(ax) == [30]
    assert "-10 current" in t1.describe(ax)


@pytest.mark.parametrize("index", [False, True])
def test_campaigns_stand_by_their_discount_with_their_sessions(index: bool):
    frame = campaigns((7, "Summer", 10.5, 3), (8, None, 99, 1), (9, "None given", None, 4))
    ax = t1.plot_effects(frame.set_index("campaign_id") if index else frame)
    assert widths(ax) == [99, 10.5]
    assert t1.describe(ax) == (
        "109.50 of discount from 3 campaigns. 1 campaign gave none. "
        "Campaign 8, 99 in 1 session; Summer, 10.50 in 3 sessions; None given, 0 in 4 sessions."
    )


def test_many_campaigns_are_twelve_bars_and_no_sessions_are_added_up():
    ax = t1.plot_effects(campaigns(*((n, f"c{n}", n, 1) for n in range(1, 21))))
    assert len(widths(ax)) == 12
    assert sum(widths(ax)) == 210
    assert t1.describe(ax).endswith("9 other campaigns, 45.")


@pytest.mark.parametrize("plot", [t1.plot_coupons, t1.plot_balances, t1.plot_effects])
def test_a_frame_without_its_columns_is_refused_by_name(plot: Callable[..., Axes]):
    with pytest.raises(InputError, match=r"the frame has no column .*; it has 'other'"):
        plot(pd.DataFrame({"other": [1]}))


# --- all of them ------------------------------------------------------------------------------------------

EMPTY: list[tuple[Callable[..., Axes], Any, str]] = [
    (t1.plot_changes, {"removed": 0, "kept": 0, "added": 0}, "Nobody leaves, stays or joins."),
    (t1.plot_overlaps, segments(a=0), "Nobody is in any of the audiences."),
    (t1.plot_overlaps, segments(a=1)[:0].astype(object), "Nobody is in any of the audiences."),
    (t1.plot_coupons, pd.DataFrame({"state": []}), "There are no coupons."),
    (t1.plot_balances, loyalty(), "There are no balances."),
    (t1.plot_effects, campaigns(), "No campaign had an effect."),
]


@pytest.mark.parametrize(("plot", "nothing", "said"), EMPTY)
def test_nothing_is_said_in_words(plot: Callable[..., Axes], nothing: Any, said: str):
    ax = plot(nothing)
    assert said in texts(ax)
    assert t1.describe(ax).endswith(said)
    assert not ax.axison


def full_pictures() -> Iterator[Axes]:
    big = 999_999_999
    yield t1.plot_changes({"removed": 1, "kept": big, "added": big})
    yield t1.plot_overlaps(segments(a=30, ab=12))
    many = {
        "".join(sorted({"abcdefghijkl"[(7 * k + j * j) % 12] for j in range(k % 6 + 1)})): big - k for k in range(40)
    }
    yield t1.plot_overlaps(segments(**many).rename(columns={"a": LONG, "b": LONG + "2"}))
    yield t1.plot_coupons(pd.DataFrame({"state": ["active", LONG, "expired", "used", "disabled", "pending"]}))
    yield t1.plot_balances(loyalty(*((5, LONG + str(n), 1e5 + n, 1e4, 1e5, 1e3) for n in range(20))))
    yield t1.plot_effects(campaigns(*((n, f"{n} {LONG}", 1e9 / (n + 1), 10**7) for n in range(30))))


def all_pictures() -> Iterator[Axes]:
    yield from full_pictures()
    yield from (plot(nothing) for plot, nothing, _ in EMPTY)


def test_all_words_lie_inside_the_picture(tmp_path: Path):
    for ax in all_pictures():
        t1.save_picture(ax, tmp_path / "picture.png", dpi=round(ax.get_figure().dpi))
        figure = ax.get_figure()
        page = figure.bbox
        for text in figure.findobj(Text):
            if text.get_text() and text.get_visible() and _is_drawn(text, ax):
                box = text.get_window_extent()
                assert page.x0 <= box.x0 < box.x1 <= page.x1, text
                assert page.y0 <= box.y0 < box.y1 <= page.y1, text


def test_no_two_words_lie_on_each_other(tmp_path: Path):
    for ax in full_pictures():
        t1.save_picture(ax, tmp_path / "picture.png", dpi=round(ax.get_figure().dpi))
        shown = [text for text in ax.get_figure().findobj(Text) if text.get_text() and _is_drawn(text, ax)]
        boxes = [text.get_window_extent() for text in shown]
        boxes = [box for box in boxes if box.width > 2]  # what is not drawn has none
        for place, box in enumerate(boxes):
            for other in range(place):
                assert not box.padded(-1).overlaps(boxes[other].padded(-1)), ax.get_title("left")


@pytest.mark.parametrize("ground", ["#ffffff", "#111111"])
def test_words_and_marks_stand_out_on_a_light_and_on_a_dark_page(ground: str):
    for ax in all_pictures():
        for text in ax.get_figure().findobj(Text):
            assert not text.get_text() or contrast(text.get_color(), ground) > 4.2 or not _is_drawn(text, ax), text
        for patch in ax.patches:
            assert contrast(patch.get_facecolor()[:3], ground) > 3
        for line in ax.lines:
            assert contrast(line.get_color(), ground) > 3


def test_a_picture_has_no_background_of_its_own(tmp_path: Path):
    for ax in full_pictures():
        corner = pixels(t1.save_picture(ax, tmp_path / "picture.png", dpi=60))[:3, :3]
        assert (corner[..., 3] == 0).all()


def test_axes_that_are_given_are_drawn_on():
    given = [
        (t1.plot_changes, {"removed": 1, "kept": 1, "added": 1}),
        (t1.plot_overlaps, segments(a=1)),
        (t1.plot_coupons, pd.DataFrame({"state": ["used"]})),
        (t1.plot_balances, loyalty((5, "", 1, 1, 1, 1))),
        (t1.plot_effects, campaigns((7, "x", 1, 1))),
    ]
    for plot, data in given:
        ax = Figure().add_subplot()
        before = data.copy() if isinstance(data, pd.DataFrame) else data
        assert plot(data, ax=ax) is ax
        assert data == before if isinstance(data, dict) else data.equals(before)


@pytest.mark.parametrize(
    "module",
    [
        t1data.plots.balances,
        t1data.plots.bars,
        t1data.plots.changes,
        t1data.plots.coupons,
        t1data.plots.effects,
        t1data.plots.overlaps,
    ],
    ids=lambda module: module.__name__,
)
def test_the_examples_in_the_documentation_of_pictures_run(module: ModuleType):
    tried = doctest.testmod(module)
    assert tried.attempted > 0
    assert tried.failed == 0
