"""XLSX workbooks through the front door: what Excel holds is what is read, and what it has lost is said."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

import t1data as t1
from t1data.errors import InputError
from t1data.profiles.prepare import Options, prepare
from t1data.tables import Source, excel_book, excel_reader, open_source

Fill = Callable[[Any, Any], None]
"""Fills a sheet; it is given the workbook and the sheet."""


def made(path: Path, **sheets: Fill | list[list[Any]]) -> Path:
    """Write a workbook; a list of rows is written as it stands, text as text."""
    book = xlsxwriter.Workbook(path, {"strings_to_numbers": False, "strings_to_formulas": False})
    for name, content in sheets.items():
        sheet = book.add_worksheet(name)
        if callable(content):
            content(book, sheet)
        else:
            put(sheet, content)
    book.close()
    return path


def put(sheet: Any, rows: list[list[Any]], *, top: int = 0, left: int = 0) -> None:
    for number, row in enumerate(rows, top):
        for at, value in enumerate(row, left):
            (sheet.write_string if isinstance(value, str) else sheet.write)(number, at, value)


def changed(path: Path, part: str, pattern: bytes, replacement: bytes) -> Path:
    """Write the workbook again with something else in one of its parts."""
    content, before = path.read_bytes(), None
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name)
            if name == part:
                before, text = text, re.sub(pattern, replacement, text)
                assert text != before
            new.writestr(name, text)
    return path


def read(source: Source) -> dict[int, dict[str, Any]]:
    """Every row that can be sent, by its number."""
    found = {}
    for piece in source.slices():
        found |= dict(zip(piece.rows.tolist(), piece.batch.to_pylist(), strict=True))
    return found


def refusal(path: Path, **words: str) -> str:
    with pytest.raises(InputError) as caught:
        open_source(path, **words)
    assert caught.value.__cause__ is None
    return str(caught.value)


IDS = [["integration_id", "Name"], ["007", "Ada"], ["0042", "Grace"]]


def test_text_is_read_exactly_and_every_row_has_its_number(tmp_path):
    texts = ["007", " padded ", "a\nb", "_x0041_", "=1+1", "#N/A", "1E5", "é😀\u202e", "<&>'\""]
    source = open_source(made(tmp_path / "a.xlsx", People=[["integration_id"], *[[text] for text in texts]]))
    assert (source.kind, source.rows, source.is_text, source.sheet) == ("excel", len(texts), False, "People")
    assert [row["integration_id"] for row in read(source).values()] == texts
    assert read(source) == read(source)
    assert source.notes == ()


EVENING, MIDNIGHT = dt.datetime(2024, 2, 29, 23, 59, 30), dt.datetime(2024, 3, 1)  # noqa: DTZ001 - Excel has no zones


def test_cells_are_what_excel_holds(tmp_path):
    def fill(book: Any, sheet: Any) -> None:
        day, time = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        put(sheet, [["id", "n", "b", "day", "time"], ["1", 1.5, True], ["2", -41], ["3", 1e300, False]])
        sheet.write_datetime(1, 3, dt.date(2024, 2, 29), day)
        sheet.write_datetime(2, 3, dt.date(1900, 3, 1), day)
        sheet.write_datetime(1, 4, EVENING, time)
        sheet.write_datetime(2, 4, MIDNIGHT, time)

    assert list(read(open_source(made(tmp_path / "a.xlsx", One=fill))).values()) == [
        {"id": "1", "n": 1.5, "b": True, "day": dt.date(2024, 2, 29), "time": EVENING},
        {"id": "2", "n": -41.0, "b": None, "day": dt.date(1900, 3, 1), "time": MIDNIGHT},
        {"id": "3", "n": 1e300, "b": False, "day": None, "time": None},
    ]


def test_values_of_several_kinds_side_by_side_are_sent_each_as_it_is(tmp_path):
    path = made(tmp_path / "a.xlsx", One=[["integration_id", "Zip"], ["1", "01234"], ["2", 1234], ["3", True]])
    parts = [part for part in prepare(path, Options()).parts()]
    pieces = [piece.as_py() for part in parts for piece in part.rows.pieces]
    assert [re.search(rb'"Zip":(.*?)}', piece)[1] for piece in pieces] == [b'"01234"', b"1234", b"true"]


def test_an_error_of_the_sheet_keeps_its_row_from_being_sent_and_no_other(tmp_path):
    def fill(book: Any, sheet: Any) -> None:
        put(sheet, [["integration_id", "Spend", "Other"], ["1", 5], ["2"], ["3", 7], ["4", 8]])
        sheet.write_formula(2, 1, "=NA()", None, "#N/A")
        sheet.write_formula(4, 2, "=1/0", None, "#DIV/0!")

    source = open_source(made(tmp_path / "a.xlsx", One=fill))
    (piece,) = source.slices()
    told = [(problem.row, problem.message) for problem in piece.problems]
    assert told == [
        (1, "Column Spend holds the error #N/A, which cannot be written as JSON."),
        (3, "Column Other holds the error #DIV/0!, which cannot be written as JSON."),
    ]
    assert (piece.rows.tolist(), piece.next_row) == ([0, 2], 4)
    (piece,) = source.slices(["integration_id"])
    assert piece.rows.tolist() == [0, 1, 2, 3], "a column that is not read keeps nothing back"


def test_the_saved_results_of_formulas_are_read_and_the_plan_says_so(tmp_path):
    def fill(book: Any, sheet: Any) -> None:
        put(sheet, [["integration_id", "Name"], ["1"], ["2"]])
        sheet.write_formula(1, 1, '="A"&"da"', None, "Ada")
        sheet.write_formula(2, 1, '=""', None, "")
        sheet.set_row(2, None, None, {"hidden": True})

    path = made(tmp_path / "a.xlsx", One=fill)
    assert [row["Name"] for row in read(open_source(path)).values()] == ["Ada", None]
    lines = t1.plan_upsert(t1.Client("http://127.0.0.1:9", "a-key-of-16-letters"), path).lines()
    assert "a.xlsx: 2 rows (sheet 'One')" in lines
    assert "2 formulas in the sheet: what is sent is the result with which the workbook was last saved" in lines
    assert "1 hidden row in the sheet, or filtered out: sent like the others" in lines


def test_columns_and_sheets_that_nobody_sees_are_read_and_told(tmp_path):
    def fill(book: Any, sheet: Any) -> None:
        put(sheet, [["integration_id", "Name", "Spend", "Tier"], ["1", "Ada", "5", "gold"]])
        sheet.set_column(1, 2, None, None, {"hidden": True})
        sheet.set_column(5, 9, None, None, {"hidden": True})  # with nothing in them
        sheet.hide()

    path = made(tmp_path / "a.xlsx", Other=[], Secret=fill)
    source = open_source(path, sheet="Secret")
    assert source.columns == ("integration_id", "Name", "Spend", "Tier")
    assert source.notes == (
        "the sheet 'Secret' is hidden in the workbook: its rows are sent like those of any other",
        "2 hidden columns in the sheet: read like the others",
    )


def test_every_plan_tells_of_rows_that_nobody_sees(tmp_path):
    def fill(book: Any, sheet: Any) -> None:
        put(sheet, [["integration_id", "coupon", "session_id", "type", "state"], ["1", "CODE", "s1", "seen", "open"]])
        sheet.set_row(1, None, None, {"hidden": True})

    path = made(tmp_path / "a.xlsx", One=fill)
    with t1.Sandbox() as sandbox, t1.Client(sandbox.base_url, sandbox.api_key) as client:
        plans = [
            t1.plan_upsert(client, path),
            t1.plan_referrals(client, path, campaign_id=1, usage_limit=1),
            t1.plan_reservations(client, path),
            t1.plan_erasure(client, path),
            t1.plan_events(client, path, attributes=["state"]),
            t1.plan_sessions(client, path, columns=["state"]),
        ]
    told = "1 hidden row in the sheet, or filtered out: sent like the others"
    assert [told in plan.lines() for plan in plans] == [True] * len(plans)


def test_a_table_may_begin_anywhere_and_blank_rows_are_counted_and_are_no_rows(tmp_path):
    def fill(book: Any, sheet: Any) -> None:
        put(sheet, IDS, top=5, left=3)
        put(sheet, [["0043", "Alan"]], top=10, left=3)
        sheet.write_blank(20, 9, None, book.add_format({"bold": True}))

    source = open_source(made(tmp_path / "a.xlsx", One=fill))
    (piece,) = source.slices()
    assert source.columns == ("integration_id", "Name")
    assert piece.batch["integration_id"].to_pylist() == ["007", "0042", "0043"]
    assert (piece.rows.tolist(), piece.blank_lines) == ([0, 1, 2], 2)


def test_many_rows_come_in_slices(tmp_path):
    rows = [[f"{number:06}", number] for number in range(20_000)]
    source = open_source(made(tmp_path / "a.xlsx", One=[["id", "n"], *rows]))
    assert source.rows == 20_000
    assert [[row["id"], row["n"]] for row in read(source).values()] == rows


# --- ids ------------------------------------------------------------------------------------------------------


def test_ids_that_are_numbers_are_refused_unless_declared(tmp_path):
    path = made(tmp_path / "a.xlsx", One=[["integration_id"], [7], [12345]])
    with pytest.raises(
        InputError, match=r"leading zeros and the digits of long ids may be lost\. A workbook holds all"
    ):
        prepare(path, Options())
    (part,) = prepare(path, Options(ids_from_floats=True)).parts()
    assert b'"integrationId":"7"' in part.rows.pieces[0].as_py()


def test_ids_that_are_numbers_with_more_digits_than_excel_keeps_are_refused_even_then(tmp_path):
    path = made(tmp_path / "a.xlsx", One=[["integration_id"], [7], [1234567890123450]])
    words = r"1 id is a number of more than 15 digits in a workbook, which keeps 15.*\(row 2\)"
    with pytest.raises(InputError, match=words):
        prepare(path, Options(ids_from_floats=True))


def test_text_ids_beside_number_ids_are_refused(tmp_path):
    path = made(tmp_path / "a.xlsx", One=[["integration_id"], ["007"], [8]])
    with pytest.raises(InputError, match=r"several kinds side by side.*make it text in the workbook"):
        prepare(path, Options())


# --- sheets ---------------------------------------------------------------------------------------------------


def test_the_only_sheet_that_holds_anything_is_read_and_hidden_ones_only_by_name(tmp_path):
    def hidden(book: Any, sheet: Any) -> None:
        put(sheet, [["integration_id"], ["secret"]])
        sheet.hide()

    path = made(tmp_path / "a.xlsx", Empty=[], People=IDS, Notes=hidden)
    assert open_source(path).sheet == "People"
    assert read(open_source(path, sheet="Notes")) == {0: {"integration_id": "secret"}}


def test_of_several_sheets_one_must_be_named(tmp_path):
    path = made(tmp_path / "a.xlsx", **{"June": IDS, "July & <August>": [["integration_id"], ["1"]]})
    said = refusal(path)
    assert "has 2 sheets: 'June', 'July & <August>'. Say which one is meant: sheet='June'" in said
    assert open_source(path, sheet="July & <August>").rows == 1
    assert "has no sheet 'june', it has 'June', 'July & <August>'" in refusal(path, sheet="june")


def test_another_sheet_is_another_input(tmp_path):
    path = made(tmp_path / "a.xlsx", One=IDS, Two=IDS)
    one, two = (open_source(path, sheet=name).fingerprint()["sha256"] for name in ("One", "Two"))
    assert one != two
    assert one == open_source(path, sheet="One").fingerprint()["sha256"]


# --- what is no table -----------------------------------------------------------------------------------------


def _merged(book: Any, sheet: Any) -> None:
    put(sheet, IDS)
    sheet.merge_range(1, 1, 2, 1, "Ada")


def _titled(book: Any, sheet: Any) -> None:
    sheet.merge_range(0, 0, 0, 1, "Our customers")
    put(sheet, IDS, top=1)


def _nameless(book: Any, sheet: Any) -> None:
    put(sheet, [["integration_id", ""], ["1", "2"]])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "sheet 'One', has no rows: it is empty"),
        ([["integration_id", "Name"]], "sheet 'One', has no rows: nothing stands below the header"),
        (_merged, "has merged cells, B2:B3 among them"),
        (_titled, "has columns without a name (counted from 1): 2"),
        (_nameless, "has columns without a name (counted from 1): 2"),
        ([["id", "id"], ["1", "2"]], "has column names more than once: 'id'"),
        ([["id", 2024], ["1", "2"]], "has column names that are not text: 2024.0"),
    ],
)
def test_a_sheet_that_is_no_table_is_refused_saying_why(tmp_path, content, said):
    assert said in refusal(made(tmp_path / "a.xlsx", One=content))


def test_a_sheet_whose_cells_lie_far_apart_does_not_end_the_process(tmp_path):
    path = made(tmp_path / "a.xlsx", One=lambda book, sheet: put(sheet, IDS) or sheet.write(900_000, 900, "x"))
    assert "over 900,001 rows and 901 columns, and 10,000,000 cells are the most" in refusal(path)


def test_a_sheet_that_is_filled_to_the_last_row_was_probably_cut_off(tmp_path, monkeypatch):
    monkeypatch.setattr(excel_reader, "LAST_ROW", 3)
    source = open_source(made(tmp_path / "a.xlsx", One=IDS))
    assert source.notes == (
        "the sheet is filled to the last row that Excel has, 3: what followed was probably cut off",
    )


# --- files that cannot be read ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damage",
    [
        lambda b: b[:-40],
        lambda b: b[: len(b) // 2],
        lambda b: b[:700] + bytes([b[700] ^ 255]) + b[701:],
        lambda b: b[:30] + b"\0" * 200 + b[230:],
    ],
)
def test_a_damaged_workbook_is_refused(tmp_path, damage):
    path = made(tmp_path / "a.xlsx", One=IDS)
    path.write_bytes(damage(path.read_bytes()))
    assert "damaged" in refusal(path)


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, 8000), byte=st.integers(0, 255), cut=st.booleans())
def test_no_byte_that_is_changed_gives_other_values_or_another_error(tmp_path_factory, at, byte, cut):
    path = made(tmp_path_factory.mktemp("flip") / "a.xlsx", One=IDS)
    whole = read(open_source(path))
    content = path.read_bytes()
    at %= len(content)
    path.write_bytes(content[:at] if cut else content[:at] + bytes([byte]) + content[at + 1 :])
    with contextlib.suppress(InputError):
        assert read(open_source(path)) == whole


def test_what_only_looks_like_a_workbook_is_called_by_its_name(tmp_path):
    for name, kind in {
        "mimetype": "an OpenDocument spreadsheet (ODS)",
        "xl/workbook.bin": "a binary Excel workbook (XLSB)",
        "readme.txt": "a zip archive",
    }.items():
        path = tmp_path / "a.xlsx"
        with zipfile.ZipFile(path, "w") as book:
            book.writestr(name, "application/vnd.oasis.opendocument.spreadsheet")
        assert f"is {kind}, not CSV, Parquet or XLSX. Save it as one of these." in refusal(path)


def test_a_password_and_an_old_workbook_are_told_apart(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(5000) + "EncryptedPackage".encode("utf-16-le") + bytes(50))
    assert "is an Excel workbook with a password (open it in Excel, and take the password off)" in refusal(path)
    path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(5000))
    assert "is an old Excel workbook (XLS)" in refusal(path)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    path = made(tmp_path / "a.xlsx", One=IDS)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/media/big.bin", bytes(3_000_000))
    monkeypatch.setattr(excel_book, "LARGEST", 2_000_000)
    assert "unpacks to 0.0 GB, and a workbook is read whole" in refusal(path)


def test_entities_are_refused(tmp_path):
    path = changed(
        made(tmp_path / "a.xlsx", One=IDS), "xl/workbook.xml", rb"\?>\s*", b'?><!DOCTYPE a [<!ENTITY b "c">]>'
    )
    assert "is damaged or cut off (xl/workbook.xml is not as a workbook has it)" in refusal(path)


def test_an_error_without_a_place_is_refused(tmp_path):
    def fill(book: Any, sheet: Any) -> None:
        put(sheet, IDS)
        sheet.write_formula(1, 1, "=NA()", None, "#N/A")

    path = made(tmp_path / "a.xlsx", One=fill)
    assert read(open_source(path)).keys() == {1}
    changed(path, "xl/worksheets/sheet1.xml", rb'r="B2" ', b"")
    assert "in a cell that does not say where it stands" in refusal(path)


@pytest.mark.parametrize("words", [{"encoding": "cp1252"}, {"delimiter": ";"}])
def test_words_for_text_are_refused_for_a_workbook_and_a_sheet_elsewhere(tmp_path, words):
    path = made(tmp_path / "a.xlsx", One=IDS)
    assert "for CSV files only" in refusal(path, **words)
    (tmp_path / "a.csv").write_text("id\n1\n")
    assert "sheet= is for workbooks only" in refusal(tmp_path / "a.csv", sheet="One")


def test_a_workbook_that_changes_is_noticed(tmp_path):
    path = made(tmp_path / "a.xlsx", One=IDS)
    source = open_source(path)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(InputError, match="changed while being read"):
        list(source.slices())


def test_without_the_extra_it_is_said_what_to_install(tmp_path):
    made(tmp_path / "a.xlsx", One=IDS)
    program = (
        "import sys; sys.modules['python_calamine'] = None\n"
        "from t1data.tables import open_source\n"
        "try:\n    open_source('a.xlsx')\n"
        "except Exception as error:\n    print(error)"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ended.stdout == "Workbooks need the extra for Excel: pip install 't1data[excel]'; or save as CSV.\n"


# --- through the jobs -------------------------------------------------------------------------------------------


def test_people_of_a_workbook_are_sent_and_a_resume_reads_the_same_sheet(tmp_path):
    path = made(tmp_path / "people.xlsx", June=IDS, July=[["integration_id", "Name"], ["1", "Alan"]])
    with t1.Sandbox() as sandbox:
        client = t1.Client(sandbox.base_url, sandbox.api_key)
        run = t1.upsert_profiles(client, path, sheet="June", journal=tmp_path / "a.sqlite")
        assert run.outcomes["integration_id"].tolist() == ["007", "0042"]
        assert t1.open_run(run.journal).outcomes["integration_id"].tolist() == ["007", "0042"]
        with pytest.raises(t1.errors.JournalError, match="the input's content"):
            t1.upsert_profiles(client, path, sheet="July", journal=run.journal)
        assert t1.resume(client, run.journal).counts["accepted"] == 2


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r", exclude_categories=["Cc", "Cs"]), min_size=1)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(TEXT, st.floats(-1e15, 1e15) | st.none(), st.booleans() | st.none()), min_size=1, max_size=20
    )
)
def test_whatever_stands_in_cells_is_read_as_it_is(tmp_path_factory, rows):
    path = made(tmp_path_factory.mktemp("any") / "a.xlsx", One=[["a", "b", "c"], *map(list, rows)])
    found = [(row["a"], row["b"], row["c"]) for row in read(open_source(path)).values()]
    near = [(a, b if b is None else pytest.approx(b, rel=1e-15), c) for a, b, c in rows]  # it is written in 16 digits
    assert found == near
