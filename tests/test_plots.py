"""Pictures: what they say, that all of it can be read, and that files are written whole or not at all."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from matplotlib.text import Text
from PIL import Image

import t1data.plots.canvas
import t1data.plots.outcomes
import t1data.plots.runs
from t1data.errors import InputError
from t1data.plots import describe, plot_outcomes, plot_run, save_picture

NOON = pd.Timestamp("2026-07-01 12:00:00", tz="UTC")


def batches(
    *, sent: list[float], took: list[float | None], rows: int = 1000, state: str | list[str] = "done", **columns: object
) -> pd.DataFrame:
    ended = [np.nan if seconds is None else at + seconds for at, seconds in zip(sent, took, strict=True)]
    number = np.arange(len(sent))
    frame = {
        "batch": number,
        "row_from": number * rows + 1,
        "row_to": (number + 1) * rows,
        "rows": rows,
        "state": state,
        "attempts": 1,
        "http_status": 200,
        "started_at": pd.Series(NOON + pd.to_timedelta(sent, unit="s")),
        "answered_at": pd.Series(NOON + pd.to_timedelta(ended, unit="s")),
        "waited": 0.0,
    }
    return pd.DataFrame(frame | columns).convert_dtypes(dtype_backend="numpy_nullable")


def counts(**known: int) -> dict[str, int]:
    return dict.fromkeys(["accepted", "invalid", "refused", "unsent", "in_doubt"], 0) | known


def run_of(frame: pd.DataFrame, **known: int) -> SimpleNamespace:
    return SimpleNamespace(batches=frame, counts=counts(**known), failures=failures())


def failures(*listed: tuple[str, str, int]) -> pd.DataFrame:
    rows = [(outcome, reason) for outcome, reason, number in listed for _ in range(number)]
    frame = pd.DataFrame(rows, columns=["outcome", "reason"], dtype="object")
    return frame.assign(integration_id="00001")


def even_run(requests: int, *, gap: float = 0.05) -> SimpleNamespace:
    frame = batches(sent=[gap * n for n in range(requests)], took=[0.04] * requests)
    return run_of(frame, accepted=1000 * requests)


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_figure().findobj(Text) if text.get_text() and text.get_visible()]


def legend(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def steps(ax: Axes) -> tuple[np.ndarray, np.ndarray]:
    patch = next(patch for patch in ax.patches if isinstance(patch, StepPatch))
    return patch.get_data().values, patch.get_data().edges


def shaded(ax: Axes) -> list[tuple[float, float]]:
    spans = [patch for patch in ax.patches if not isinstance(patch, StepPatch)]
    return [(span.get_x(), span.get_x() + span.get_width()) for span in spans]


def batches_drawn(ax: Axes) -> dict[str, list[float]]:
    ticks = [line for line in ax.lines if line.get_marker() == "|"]
    return {str(line.get_label()): list(line.get_xdata()) for line in ticks}


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGBA"))


# --- the course of a run ----------------------------------------------------------------------------------


def test_the_title_says_all_five_counts_in_words():
    ax = plot_run(run_of(even_run(2).batches, accepted=2000, invalid=12, refused=3, unsent=0, in_doubt=1234))
    assert ax.get_title("left") == "2,000 of 3,249 rows accepted"
    assert "accepted 2,000  ·  invalid 12  ·  refused 3  ·  unsent 0  ·  in doubt 1,234" in texts(ax)


@pytest.mark.parametrize("requests", [1, 2, 24, 10_000])
def test_an_even_pace_is_a_flat_line_over_every_batch(requests: int):
    ax = plot_run(even_run(requests))
    speed, edges = steps(ax)
    end = 0.05 * (requests - 1) + 0.04
    assert edges[0] == 0
    assert edges[-1] == pytest.approx(end)
    assert speed[1:] == pytest.approx(speed[1], rel=0.3)
    word = "batch" if requests == 1 else "batches"
    assert [len(at) for at in batches_drawn(ax).values()] == [requests]
    assert legend(ax) == [
        f"rows accepted (mean {1000 * requests / end:,.0f} a second)",
        f"{requests:,} {word} accepted",
    ]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 50), st.none() | st.floats(0, 5), st.sampled_from(["done", "refused", "in_doubt"])),
        min_size=1,
        max_size=40,
    )
)
def test_the_area_under_the_line_is_the_number_of_accepted_rows(
    requests: list[tuple[float, float | None, str]],
):
    sent, took, state = map(list, zip(*requests, strict=True))
    speed, edges = steps(plot_run(run_of(batches(sent=sent, took=took, state=state))))
    assert np.sum(speed * np.diff(edges)) == pytest.approx(1000 * state.count("done"))


def test_batches_have_a_tick_when_they_were_sent_and_a_name_for_what_became_of_them():
    frame = batches(
        sent=[0, 1, 2, 3, 4],
        took=[0.5, 0.5, 0.5, None, None],
        state=["done", "refused", "done", "in_doubt", "intent"],
    )
    ax = plot_run(run_of(frame, accepted=2000, refused=1000, in_doubt=2000))
    assert batches_drawn(ax) == {
        "2 batches accepted": [0, 2],
        "1 batch refused": [1],
        "2 batches in doubt": [3, 4],
    }


def test_batches_that_were_never_sent_are_not_drawn():
    frame = batches(sent=[0, np.nan], took=[0.5, None], state=["done", "planned"])
    assert batches_drawn(plot_run(run_of(frame, accepted=1000, unsent=1000))) == {"1 batch accepted": [0]}


def test_a_wait_is_shaded_before_the_attempt_that_it_held_back():
    frame = batches(sent=[0, 1], took=[1, 6.5], attempts=[1, 2], waited=[0.9, 6.0])
    ax = plot_run(run_of(frame, accepted=2000))
    assert shaded(ax) == [pytest.approx((1.25, 7.25))]
    assert legend(ax)[-1] == "waiting to send again (1 batch, 6 s)"
    assert "1 batch waited 6 s to be sent again" in describe(ax)


def test_waits_at_the_same_time_are_shaded_once():
    frame = batches(sent=[0, 0.5, 20], took=[10, 10, 10], attempts=2, waited=8.0)
    ax = plot_run(run_of(frame, accepted=3000))
    assert shaded(ax) == [pytest.approx((1, 9.5)), pytest.approx((21, 29))]
    assert legend(ax)[-1] == "waiting to send again (3 batches, 16.5 s)"


def test_waiting_for_a_turn_in_the_even_pace_is_not_shaded():
    ax = plot_run(run_of(batches(sent=[0, 1], took=[5, 5], waited=4.0), accepted=2000))
    assert shaded(ax) == []
    assert describe(ax).endswith("no waits.")


def test_the_hours_between_a_run_and_its_resume_are_left_out_and_marked():
    sent = [0, 1, 2, 50_002, 50_003]
    ax = plot_run(run_of(batches(sent=sent, took=[1] * 5), accepted=5000))
    assert batches_drawn(ax) == {"5 batches accepted": pytest.approx([0, 1, 2, 4, 5])}
    dashed = [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--"]
    assert dashed == [pytest.approx(4)]
    assert legend(ax)[-1] == "interrupted (13.9 h left out)"


def test_a_slow_pace_is_no_interruption():
    ax = plot_run(run_of(batches(sent=[100.0 * n for n in range(20)], took=[1] * 20), accepted=20_000))
    assert batches_drawn(ax) == {"20 batches accepted": pytest.approx([100.0 * n for n in range(20)])}


@pytest.mark.parametrize(
    ("gap", "label"),
    [(0.05, "seconds since"), (0.9, "seconds since"), (9, "minutes since"), (999, "hours since")],
)
def test_the_time_axis_names_its_unit_and_its_zero(gap: float, label: str):
    ax = plot_run(even_run(100, gap=gap))
    assert ax.get_xlabel() == f"{label} 2026-07-01 12:00:00 UTC"
    inside = [tick for tick in ax.get_xticks() if 0 <= tick <= ax.get_xlim()[1]]
    assert 3 <= len(inside) <= 10


def test_a_run_without_a_request_says_so():
    for frame in (even_run(0).batches, batches(sent=[np.nan], took=[None], state="planned")):
        ax = plot_run(run_of(frame, invalid=3))
        assert "No request was sent." in texts(ax)
        assert describe(ax).endswith("in doubt 0. No request was sent.")
        assert not ax.axison


def test_a_run_in_which_nothing_was_accepted_has_a_flat_line_at_zero():
    ax = plot_run(run_of(batches(sent=[0, 1], took=[1, 1], state="refused"), refused=2000))
    assert not steps(ax)[0].any()
    assert list(ax.get_yticks()) == [0]


def test_what_it_is_given_stays_as_it_was():
    run = even_run(5)
    before = run.batches.copy(deep=True)
    plot_run(run)
    pd.testing.assert_frame_equal(run.batches, before)


# --- what became of the rows ------------------------------------------------------------------------------


def outcomes(*listed: tuple[str, str, int], **known: int) -> SimpleNamespace:
    return SimpleNamespace(counts=counts(**known), failures=failures(*listed))


def bars(ax: Axes) -> list[tuple[str, int]]:
    labels = [text.get_text() for text in sorted(ax.texts, key=lambda text: text.get_position()[1])]
    widths = [round(bar.get_width()) for bar in sorted(ax.patches, key=lambda bar: bar.get_y())]
    is_number = re.compile(r"[\d,]+")
    named = [label for label in labels if not is_number.fullmatch(label) and "  ·  " not in label]
    return list(zip(named, widths, strict=True))


def test_every_outcome_and_reason_has_a_bar_the_longest_first():
    run = outcomes(
        ("invalid", "bad_number", 6),
        ("refused", "unknown_attribute", 7),
        ("in_doubt", "no_answer", 9),
        accepted=100,
        invalid=6,
        refused=7,
        in_doubt=9,
    )
    ax = plot_outcomes(run)
    assert bars(ax) == [("in doubt: no_answer", 9), ("refused: unknown_attribute", 7), ("invalid: bad_number", 6)]
    assert {"9", "7", "6"} <= set(texts(ax))
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first bar stands on top


def test_rows_that_failures_does_not_list_have_a_bar_without_a_reason():
    ax = plot_outcomes(outcomes(("unsent", "stopped", 2), accepted=1, unsent=1_000))
    assert bars(ax) == [("unsent", 998), ("unsent: stopped", 2)]


def test_when_every_row_was_accepted_that_is_the_one_bar():
    ax = plot_outcomes(outcomes(accepted=23_570))
    assert bars(ax) == [("accepted", 23_570)]
    assert "23,570" in texts(ax)


def test_no_rows_at_all_is_said_in_words():
    assert "No rows." in texts(plot_outcomes(outcomes()))


def test_beyond_twelve_bars_the_rest_is_one():
    listed = [("invalid", f"reason_{number:02d}", number) for number in range(1, 21)]
    ax = plot_outcomes(outcomes(*listed, invalid=210))
    assert len(bars(ax)) == 12
    assert bars(ax)[0] == ("invalid: reason_20", 20)
    assert bars(ax)[-1] == ("9 other reasons", 45)
    assert sum(rows for _, rows in bars(ax)) == 210


@pytest.mark.parametrize("reason", ["costs $5 or $6", "100 % \\alpha {", "x" * 500])
def test_a_reason_is_drawn_as_it_is_but_for_its_length(reason: str, tmp_path: Path):
    ax = plot_outcomes(outcomes(("refused", reason, 3), refused=3))
    drawn = bars(ax)[0][0]
    assert drawn == f"refused: {reason}" or (drawn.endswith("…") and len(drawn) < 60)
    save_picture(ax, tmp_path / "reason.png")


# --- all pictures -----------------------------------------------------------------------------------------


def all_pictures() -> Iterator[Axes]:
    yield plot_run(even_run(0))
    yield plot_run(even_run(1))
    yield plot_run(even_run(10_000))
    frame = batches(
        sent=[0, 1, 2, 3_000_000, 3_000_001],
        took=[1, 900, 1, 1, None],
        state=["done", "done", "refused", "planned", "in_doubt"],
        attempts=2,
        waited=0.75,
    )
    yield plot_run(run_of(frame, accepted=999_999_999, invalid=99_999_999, refused=9_999_999, in_doubt=1))
    yield plot_outcomes(outcomes())
    yield plot_outcomes(outcomes(accepted=5))
    listed = [(outcome, "x" * 100, 3) for outcome in ("invalid", "refused", "unsent", "in_doubt")]
    yield plot_outcomes(outcomes(*listed, accepted=999_999_999, invalid=3, refused=3, unsent=3, in_doubt=3))


def test_all_words_lie_inside_the_picture(tmp_path: Path):
    for ax in all_pictures():
        save_picture(ax, tmp_path / "picture.png", dpi=round(ax.get_figure().dpi))
        figure = ax.get_figure()
        page = figure.bbox
        for text in figure.findobj(Text):
            if text.get_text() and text.get_visible() and _is_drawn(text, ax):
                box = text.get_window_extent()
                assert page.x0 <= box.x0 < box.x1 <= page.x1, text
                assert page.y0 <= box.y0 < box.y1 <= page.y1, text


def _is_drawn(text: Text, ax: Axes) -> bool:
    ticks = [*ax.get_xticklabels(), *ax.get_yticklabels()]
    if not any(text is tick for tick in ticks):
        return True
    low, high = sorted(ax.get_xlim() if text in ax.get_xticklabels() else ax.get_ylim())
    place = text.get_position()[0 if text in ax.get_xticklabels() else 1]
    return ax.axison and low <= place <= high


def contrast(colour: object, ground: str) -> float:
    def light(rgb: tuple[float, float, float]) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted([light(to_rgb(colour)), light(to_rgb(ground))], reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", ["#ffffff", "#111111"])
def test_words_and_marks_stand_out_on_a_light_and_on_a_dark_page(ground: str):
    for ax in all_pictures():
        for text in ax.get_figure().findobj(Text):
            assert not text.get_text() or contrast(text.get_color(), ground) > 4.2 or not ax.axison, text
        for line in ax.lines:
            assert contrast(line.get_color(), ground) > 3
        for bar in ax.containers[0] if ax.containers else []:
            assert contrast(bar.get_facecolor(), ground) > 3


def test_a_picture_has_no_background_of_its_own(tmp_path: Path):
    corner = pixels(save_picture(plot_run(even_run(24)), tmp_path / "run.png"))[:4, :4]
    assert (corner[..., 3] == 0).all()


def test_axes_that_are_given_are_drawn_on_and_keep_their_figure():
    figure = Figure()
    ax = figure.add_subplot(2, 1, 1)
    assert plot_run(even_run(3), ax=ax) is ax
    other = figure.add_subplot(2, 1, 2)
    assert plot_outcomes(outcomes(accepted=1), ax=other) is other
    assert figure.axes == [ax, other]


def test_a_notebook_shows_the_picture_with_its_words_as_alternative_text():
    ax = plot_run(even_run(24))
    data, metadata = ax._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert data["text/plain"] == metadata["image/png"]["alt"] == describe(ax)
    assert describe(ax) == (
        "24,000 of 24,000 rows accepted. Accepted 24,000, invalid 0, refused 0, unsent 0, in doubt 0. "
        "24 batches in 1.19 s, 20,168 rows accepted a second, no waits."
    )


def test_pictures_can_be_drawn_in_several_threads_at_once(tmp_path: Path):
    def draw(number: int) -> bytes:
        return save_picture(plot_run(even_run(24)), tmp_path / f"{number}.png").read_bytes()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(draw, range(8)))) == 1


def test_pyplot_is_never_loaded():
    program = "import sys, t1data.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# --- files ------------------------------------------------------------------------------------------------


def test_the_words_are_in_the_file(tmp_path: Path):
    ax = plot_outcomes(outcomes(("invalid", "bad_number", 2), accepted=5, invalid=2))
    path = save_picture(ax, str(tmp_path / "outcomes.png"))
    with Image.open(path) as picture:
        assert picture.info["Title"] == "5 of 7 rows accepted"
        assert picture.info["Description"] == describe(ax)
    assert b"://" not in path.read_bytes()


def test_dots_an_inch_set_the_size(tmp_path: Path):
    ax = plot_run(even_run(2))
    wide = pixels(save_picture(ax, tmp_path / "wide.png", dpi=200))
    assert wide.shape[1] == 1600


def test_a_picture_replaces_the_one_before_and_leaves_nothing_beside_it(tmp_path: Path):
    path = tmp_path / "run.png"
    path.write_text("old")
    save_picture(plot_run(even_run(2)), path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.png"]


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path):
    (tmp_path / "run.png").mkdir()
    with pytest.raises(OSError, match=r"run\.png"):
        save_picture(plot_run(even_run(2)), tmp_path / "run.png")
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.png"]
    with pytest.raises(FileNotFoundError):
        save_picture(plot_run(even_run(2)), tmp_path / "missing" / "run.png")


def test_a_name_of_another_kind_is_refused_before_anything_is_written(tmp_path: Path):
    with pytest.raises(InputError, match=r"must end in \.png: run\.jpeg"):
        save_picture(plot_run(even_run(2)), tmp_path / "run.jpeg")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "module", [t1data.plots.canvas, t1data.plots.outcomes, t1data.plots.runs], ids=lambda module: module.__name__
)
def test_the_examples_in_the_documentation_run(module: ModuleType):
    tried = doctest.testmod(module)
    assert tried.attempted > 0
    assert tried.failed == 0
