"""Pieces of forms that are used by all of them: threads, held uploads, downloads without the extra, words."""

from __future__ import annotations

import gc
import threading
from pathlib import Path
from typing import Any

import ipywidgets as W
import pandas as pd
import pytest
from front import Front, Hand, people, saved

import t1data as t1
from t1data.bulk.progress import Progress
from t1data.forms import browser
from t1data.forms.held import Held, hold
from t1data.forms.words import error_line, in_labels, line_of, percent
from t1data.forms.work import work
from t1data.sandbox import Delay, Sandbox

UPSERT = "update_customer_profiles_v2"


# --- threads ------------------------------------------------------------------------------------------------


def test_work_is_looked_at_while_it_goes_on_and_once_after_it() -> None:
    looks: list[bool] = []
    enough, results = threading.Event(), []

    def look() -> None:
        looks.append(bool(results))
        if len(looks) == 3:
            enough.set()

    def job() -> str:
        enough.wait(10)
        results.append("done")
        return "done"

    told: list[str] = []
    work(job, done=told.append, failed=pytest.fail, look=look, every=0.001).join(10)
    assert told == ["done"]
    assert looks[:3] == [False] * 3
    assert looks[-1]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(1)])
def test_what_work_raises_is_told_whatever_it_is(error: BaseException) -> None:
    def job() -> None:
        raise error

    told: list[BaseException] = []
    work(job, done=lambda _: pytest.fail("it is not done"), failed=told.append, every=0.001).join(10)
    assert told == [error]


def test_a_run_of_many_requests_sends_the_page_few_messages(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path, front: Front
) -> None:
    sandbox.faults.add(Delay(0.02), on=UPSERT)
    hand = Hand(t1.forms.upsert(client, people(tmp_path / "p.csv", rows=30_000)))
    hand.press("Check")
    hand.wait()
    front.messages.clear()
    hand.press("Run")
    hand.wait()
    bars = [data for _, data, _ in front.messages if "progressbar" in str(data.get("state", {}).get("value", ""))]
    seconds = (hand.form.run.batches["answered_at"].max() - hand.form.run.batches["started_at"].min()).total_seconds()
    assert 1 <= len(bars) <= seconds * 10 + 4


# --- uploads and downloads --------------------------------------------------------------------------------


def test_what_is_held_has_a_name_to_read_by_and_is_gone_with_its_holder(tmp_path: Path) -> None:
    held = Held("../../etc/pass wd.csv")
    held.write(b"one\n")
    held.write(b"two\n")
    path = held.path
    assert path.name == "pass wd.csv"
    assert path.read_text() == "one\ntwo\n"
    assert (held.size, str(held)) == (8, "<Held pass wd.csv: 8 bytes>")
    del held
    gc.collect()
    assert not path.exists()
    assert not path.parent.exists()


@pytest.mark.parametrize("name", ["", "..", "/", "\0", "a" * 5000, "C:\\people\\mine.csv"])
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    held = Held(name)
    held.write(b"x")
    assert held.path.read_bytes() == b"x"
    assert held.path.parent.name.startswith("t1data-")


def test_a_file_that_is_held_is_deleted(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a")
    held = hold(path)
    assert not path.exists()
    assert held.path.read_text() == "a"


def test_a_slice_that_comes_twice_or_out_of_order_is_not_taken_twice() -> None:
    taken: list[Held] = []
    widget = browser.upload("Upload", taken=taken.append, refused=pytest.fail)
    widget._handle_custom_msg({"type": "begin", "name": "p.csv", "size": 4}, [])
    for offset, content in ((0, b"ab"), (0, b"ab"), (3, b"zz"), (2, b"cd"), (4, b"ef")):
        widget._handle_custom_msg({"type": "slice", "offset": offset}, [memoryview(content)])
    assert [each.path.read_bytes() for each in taken] == [b"abcd"]


def test_an_empty_file_is_taken() -> None:
    taken: list[Held] = []
    widget = browser.upload("Upload", taken=taken.append, refused=pytest.fail)
    widget._handle_custom_msg({"type": "begin", "name": "p.csv", "size": 0}, [])
    assert [each.size for each in taken] == [0]


@pytest.fixture
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the extra `upload`."""
    monkeypatch.setattr(browser, "HAS_ANYWIDGET", False)


@pytest.mark.usefixtures("_plain")
def test_without_the_extra_an_upload_says_its_limit_and_is_emptied_at_once(client: t1.Client, sandbox: Sandbox) -> None:
    hand = Hand(t1.forms.upsert(client, show_rows=False))
    hand.fill("Rows from", "A file of my own machine")
    field = hand.field("Upload a file, up to 10 MB")
    assert isinstance(field, W.FileUpload)
    content = memoryview(b"integration_id,Email\na,secret@x\n")
    file = {"name": "p.csv", "type": "text/csv", "size": len(content), "content": content, "last_modified": None}
    field.value = ({**file, "last_modified": pd.Timestamp(0, tz="UTC").to_pydatetime()},)
    assert field.value == ()
    assert "secret" not in saved()
    hand.press("Check")
    hand.wait()
    assert hand.said().startswith("Checked: 1 row would be sent")


@pytest.mark.usefixtures("_plain")
def test_without_the_extra_a_download_is_written_beside_the_notebook_for_its_owner(
    client: t1.Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    hand = Hand(t1.forms.upsert(client, pd.DataFrame({"integration_id": ["a", " b"], "Age": [1, 2]})))
    hand.press("Check")
    hand.wait()
    hand.press("Run")
    hand.wait()
    hand.press("Download failed rows")
    written = tmp_path / f"failed-{hand.form.run.id}.csv"
    assert hand.said() == f"Written to {written}."
    assert written.read_text().splitlines() == ['"integration_id","Age"', '" b",2']
    assert written.stat().st_mode & 0o777 == 0o600
    hand.press("Download failed rows")
    assert "is there already" in hand.said()


# --- words --------------------------------------------------------------------------------------------------


def test_a_line_says_how_far_a_run_is() -> None:
    waiting = Progress(1000, None, {"refused": 3}, 1, 2.0, "429: again in 6 s")
    assert line_of(waiting, "running") == "1,000 rows, 3 failed, 500 rows/s, waiting (429: again in 6 s)"
    assert line_of(None, "running") == "running"
    assert [percent(each) for each in (None, waiting, Progress(1, 3, {}, 1, 1.0))] == [0, 0, 33]


def test_an_error_that_nobody_foresaw_tells_nothing_of_its_words() -> None:
    told: Any = error_line(ValueError("customer ada@x has the key 0123"))
    assert "ada" not in told
    assert "ValueError" in told


def test_keywords_in_messages_become_labels_and_other_words_stay() -> None:
    labels = {"tz": "Zone of times", "id": "Use"}
    assert in_labels('id: there is no column; say id="…" or tz=', labels) == (
        "'Use': there is no column; say 'Use' or 'Zone of times'"
    )
    assert in_labels("a valid=1 of width=2", labels) == "a valid=1 of width=2"
