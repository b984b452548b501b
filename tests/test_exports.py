"""Files for people and for machines: no formula, no changed id, written whole or not at all, for the owner's eyes."""

from __future__ import annotations

import csv
import gc
import os
import re
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import load_workbook

import t1data as t1
from t1data.errors import InputError
from t1data.exports.workbook import write_workbook
from t1data.sandbox import Sandbox
from t1data.tables import open_source
from t1data.writing import replacing

ODD = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20x",
    "  =1",
    '"=1"',
    "'=1",
    "''=1",
    "\u00a0=1",
    "\u200b=1",
    "\ufeff=1",
    "\u201c=1\u201d",
]
IDS = [
    "007",
    "00000",
    "12345678901234567890",
    "1E5",
    "1.0",
    "TRUE",
    "#N/A",
    "2026-01-02",
    "1/2",
    "0x1F",
    "null",
    "'abc",
]
PLAIN = [
    "a=1",
    "x-y",
    "50%",
    "http://x.de",
    "a\r\nb",
    "_x000D_",
    "<b>&amp;</b>",
    "\x01",
    "é\U0001f600",
    " x ",
    '"quoted"',
]
XML = ["<r>a</r>", '<r></t></is></c><c r="C2"><f>1+1</f><v>2</v></c></r>']


@pytest.fixture
def frame() -> pd.DataFrame:
    cells = [*ODD, *IDS, *PLAIN, *XML]
    return pd.DataFrame({"integration_id": cells, "number": [-5.5] * len(cells)})


def sheets(path: Path) -> list[list[list[Any]]]:
    book = load_workbook(str(path))
    return [book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names]


def column(source: Any, name: str) -> list[str | None]:
    return [cell for part in open_source(source).slices([name]) for cell in part.batch.column(0).to_pylist()]


# --- workbooks for people ---------------------------------------------------------------------------------


def test_a_workbook_holds_no_formula_and_every_text_as_it_was(frame: pd.DataFrame, tmp_path: Path):
    assert t1.export_for_people(frame, tmp_path / "book.xlsx") == len(frame)
    [[header, *rows]] = sheets(tmp_path / "book.xlsx")
    assert header == ["integration_id", "number"]
    assert [row[0] for row in rows] == frame["integration_id"].tolist()
    assert {row[1] for row in rows} == {-5.5}
    with zipfile.ZipFile(tmp_path / "book.xlsx") as book:
        for name in book.namelist():
            assert not re.search(r"<f[ >]|hyperlink|externalLink|<definedName", book.read(name).decode()), name


ANY_TEXT = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufffe\uffff"), max_size=30)
    | st.sampled_from(ODD + IDS)
    | st.text("<r>/t_xD0", min_size=4, max_size=12),
    min_size=1,
    max_size=8,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports")


@settings(max_examples=40, deadline=None)
@given(cells=ANY_TEXT)
def test_any_text_comes_back_from_a_workbook_as_text(cells: list[str], folder: Path):
    t1.export_for_people(pd.DataFrame({"note": cells, "end": "."}), folder / "any.xlsx", overwrite=True)
    [[_, *rows]] = sheets(folder / "any.xlsx")
    assert [row[0] for row in rows] == cells


def test_numbers_stay_numbers_unless_a_spreadsheet_would_cut_their_digits(tmp_path: Path):
    people = pd.DataFrame(
        {
            "campaign_id": [45, 46],
            "whole": [3, 123456789012345],
            "long": [3, 1234567890123456],
            "share": [0.1, 1e300],
            "endless": [np.inf, np.nan],
            "money": [Decimal("1.10"), Decimal("-2.50")],
        }
    )
    t1.export_for_people(people, tmp_path / "book.xlsx")
    assert sheets(tmp_path / "book.xlsx")[0][1:] == [
        ["45", 3, 3, 0.1, "inf", 1.1],
        ["46", 123456789012345, "1234567890123456", 1e300, "", -2.5],
    ]


def test_times_lists_truth_and_mixtures_are_text(tmp_path: Path):
    people = pd.DataFrame(
        {
            "at": pd.to_datetime(["2026-07-01 12:00"]).tz_localize("Europe/Berlin"),
            "naive": pd.to_datetime(["2026-07-01 12:00:00.25"]),
            "list": [["a", 1]],
            "truth": [True],
            "none": [None],
        }
    )
    t1.export_for_people(people, tmp_path / "book.xlsx")
    assert sheets(tmp_path / "book.xlsx")[0][1][:4] == [
        "2026-07-01T10:00:00Z",
        "2026-07-01T12:00:00.250000",
        '["a",1]',
        "true",
    ]
    t1.export_for_people(pd.DataFrame({"mixed": ["=1", 2, 2.5, ["x"]]}), tmp_path / "mixed.csv")
    assert column(tmp_path / "mixed.csv", "mixed") == ["=1", "2", "2.5", '["x"]']


@pytest.mark.parametrize(("place", "said"), [("/", IsADirectoryError), ("/dev/full", OSError)])
def test_what_the_disk_says_of_a_workbook_is_one_error_and_nothing_is_complained_of_after(
    place: str, said: type[OSError]
):
    with pytest.raises(said):
        write_workbook(open_source(pd.DataFrame({"n": [1]})), Path(place))
    gc.collect()  # warnings of files that were left open are errors here


FULL_DISK = """
import resource, sys
import pandas as pd, t1data as t1, xlsxwriter
from t1data.errors import InputError
frame = pd.DataFrame({"note": [f"{n:020}" for n in range(3000)]})
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
try:
    t1.export_for_people(frame, "book.xlsx")
except InputError as error:
    print(error)
"""


@pytest.mark.parametrize("room", [500, 20_000, 100_000])
def test_a_workbook_for_which_there_is_no_room_leaves_nothing_but_one_sentence(room: int, tmp_path: Path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-X", "dev", "-c", FULL_DISK, str(room)]  # dev: also what is only printed there
    env = os.environ | {"TMPDIR": str(temporary)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "book.xlsx cannot be written: File too large\n"
    assert done.stderr == ""
    assert [*temporary.iterdir(), *tmp_path.glob("*book*")] == []


def test_an_export_that_stops_is_not_put_together_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    frame = pd.DataFrame({"note": ["fine", "x" * 32_768]})
    closed: list[object] = []
    monkeypatch.setattr("xlsxwriter.Workbook.close", closed.append)
    with pytest.raises(InputError, match="row 1, column 'note'"):
        t1.export_for_people(frame, tmp_path / "book.xlsx")
    assert closed == []


def test_rows_that_no_sheet_holds_go_on_in_the_next(tmp_path: Path):
    source = open_source(pd.DataFrame({"n": range(25)}))
    assert write_workbook(source, tmp_path / "book.xlsx", sheet_rows=11) == 25
    found = sheets(tmp_path / "book.xlsx")
    assert [len(sheet) for sheet in found] == [11, 11, 6]
    assert [row[0] for sheet in found for row in sheet[1:]] == list(range(25))
    assert {sheet[0][0] for sheet in found} == {"n"}
    assert write_workbook(open_source(pd.DataFrame({"n": range(10)})), tmp_path / "full.xlsx", sheet_rows=11) == 10
    assert [len(sheet) for sheet in sheets(tmp_path / "full.xlsx")] == [11]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame({"note": ["short", "x" * 32_768]}, index=["a", "b"]), r"row b, column 'note': .* 32,767"),
        (pd.DataFrame({"note": ["\U0001f600" * 16_384]}), r"row 0, column 'note'"),
        (pd.DataFrame({"note": ["<r>\x01</r>"]}), "has no exact form in a workbook"),
        (pd.DataFrame({"note": ["<r>" + "x" * 20_000 + "</r>"]}), "this text is longer"),
        (pd.DataFrame({f"c{n}": [1] for n in range(16_385)}), "16,385 columns, a sheet holds 16,384"),
        (pd.DataFrame({"raw": [b"x"]}), "column 'raw' holds binary"),
    ],
)
def test_what_a_workbook_cannot_hold_is_refused_in_words_and_nothing_is_left(
    frame: pd.DataFrame, said: str, tmp_path: Path
):
    with pytest.raises(InputError, match=said):
        t1.export_for_people(frame, tmp_path / "book.xlsx")
    assert os.listdir(tmp_path) == []


def test_without_the_package_a_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(InputError, match=r"pip install 't1data\[excel\]', or write a \.csv file"):
        t1.export_for_people(pd.DataFrame({"a": [1]}), tmp_path / "book.xlsx")
    assert os.listdir(tmp_path) == []


def test_a_workbook_that_was_exported_can_be_read_again(frame: pd.DataFrame, tmp_path: Path):
    ids = frame[frame["integration_id"].isin(IDS)]
    t1.export_for_people(ids, tmp_path / "book.xlsx")
    assert t1.export_for_machines(tmp_path / "book.xlsx", tmp_path / "again.csv", sheet="rows") == len(ids)
    assert column(tmp_path / "again.csv", "integration_id") == IDS


# --- NUL characters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["book.xlsx", "people.csv", "machines.csv"])
@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame({"id": ["1", "2"], "note": ["a", "b\0c"]}, index=["x", "y"]), "row y, column 'note': the text"),
        (pd.DataFrame({"mixed": [1, "\0"]}), "row 1, column 'mixed': the text"),
        (pd.DataFrame({"no\0te": ["a"]}), r"the name of column 'no\x00te'"),
    ],
)
def test_a_nul_character_is_refused_with_its_place_where_many_programs_stop_at_it(
    frame: pd.DataFrame, said: str, name: str, tmp_path: Path
):
    export = t1.export_for_machines if name == "machines.csv" else t1.export_for_people
    with pytest.raises(InputError, match=f"^{re.escape(said)} holds a NUL character; .* or write a .parquet file"):
        export(frame, tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_a_parquet_file_keeps_nul_characters(tmp_path: Path):
    cells = ["\0", "a\0b", "c\0"]
    t1.export_for_machines(pd.DataFrame({"note": cells}), tmp_path / "rows.parquet")
    assert column(tmp_path / "rows.parquet", "note") == cells


# --- CSV for people ---------------------------------------------------------------------------------------


def test_a_csv_file_for_people_begins_no_cell_with_a_sign_and_quotes_every_field(frame: pd.DataFrame, tmp_path: Path):
    t1.export_for_people(frame, tmp_path / "people.csv")
    content = (tmp_path / "people.csv").read_bytes()
    assert content.startswith(b'\xef\xbb\xbf"integration_id","number","t1data_marked"\n')
    with (tmp_path / "people.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.reader(lines))[1:]
    odd = re.compile("[\\s\"'\u00a0\u200b\ufeff\u201c\u201d]*[=+\\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
    assert [row[0] for row in rows if odd.match(row[0]) and not row[0].startswith("'")] == []
    assert [row[0] for row in rows[: len(ODD)]] == [f"'{cell}" for cell in ODD]
    assert [row[0] for row in rows[len(ODD) :]] == [*IDS, *PLAIN, *XML]
    assert {row[1] for row in rows} == {"-5.5"}
    assert [row[2] for row in rows] == ["yes"] * len(ODD) + [""] * (len(rows) - len(ODD))


def test_our_reader_gives_back_what_was_exported_for_people(frame: pd.DataFrame, tmp_path: Path):
    t1.export_for_people(frame.rename(columns={"number": "=number"}), tmp_path / "people.csv")
    assert open_source(tmp_path / "people.csv").columns == ("integration_id", "=number")
    assert column(tmp_path / "people.csv", "integration_id") == frame["integration_id"].tolist()


@settings(max_examples=60, deadline=None)
@given(cells=ANY_TEXT, separator=st.sampled_from([",", ";"]))
def test_any_text_comes_back_from_a_csv_file_for_people(cells: list[str], separator: str, folder: Path):
    t1.export_for_people(
        pd.DataFrame({"note": cells, "end": "."}), folder / "a.csv", overwrite=True, separator=separator
    )
    assert column(folder / "a.csv", "note") == [cell or None for cell in cells]


def test_an_apostrophe_in_anybody_elses_file_is_part_of_the_value(tmp_path: Path):
    (tmp_path / "theirs.csv").write_text("note\n'=1\n'abc\n", encoding="utf-8")
    assert column(tmp_path / "theirs.csv", "note") == ["'=1", "'abc"]


def test_only_rows_that_say_so_lose_an_apostrophe(tmp_path: Path):
    (tmp_path / "edited.csv").write_text("note,t1data_marked\n'=1,yes\n'=2,\n'abc,yes\n", encoding="utf-8")
    assert column(tmp_path / "edited.csv", "note") == ["=1", "'=2", "'abc"]


def test_data_with_nothing_to_mark_gets_no_column_for_it(tmp_path: Path):
    t1.export_for_people(pd.DataFrame({"id": ["007"], "n": [-1]}), tmp_path / "plain.csv")
    assert (tmp_path / "plain.csv").read_text("utf-8-sig") == '"id","n"\n"007","-1"\n'


def test_a_column_of_the_markers_name_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="t1data's own; rename it"):
        t1.export_for_people(pd.DataFrame({"t1data_marked": ["x"]}), tmp_path / "x.csv")


# --- machines ---------------------------------------------------------------------------------------------


def test_a_csv_file_for_machines_holds_every_value_exactly(frame: pd.DataFrame, tmp_path: Path):
    assert t1.export_for_machines(frame, tmp_path / "machine.csv") == len(frame)
    with (tmp_path / "machine.csv").open(encoding="utf-8", newline="") as lines:
        assert [row[0] for row in csv.reader(lines)][1:] == frame["integration_id"].tolist()
    assert column(tmp_path / "machine.csv", "integration_id") == frame["integration_id"].tolist()


def test_a_parquet_file_for_machines_keeps_types_and_values(tmp_path: Path):
    table = pa.table(
        {
            "id": ["007", None, ""],
            "n": pa.array([2**63 - 1, None, 0]),
            "money": pa.array([Decimal("1.10"), None, Decimal("0.00")]),
            "at": pa.array([0, None, 1], pa.timestamp("us", "UTC")),
            "list": [["a"], [], None],
            "word": pa.array(["a", "b", "a"]).dictionary_encode(),
        }
    )
    t1.export_for_machines(table, tmp_path / "rows.parquet")
    assert pyarrow.parquet.read_table(tmp_path / "rows.parquet").equals(table)


def test_values_of_several_kinds_are_text_in_csv_and_come_back_from_parquet(tmp_path: Path):
    mixed = pd.DataFrame({"mixed": ["1", 1, 2.5, ["x"], "=x"]})
    t1.export_for_machines(mixed, tmp_path / "mixed.csv")
    assert column(tmp_path / "mixed.csv", "mixed") == ["1", "1", "2.5", '["x"]', "=x"]
    t1.export_for_machines(mixed, tmp_path / "mixed.parquet")
    assert open_source(tmp_path / "mixed.parquet").schema.equals(open_source(mixed).schema, check_metadata=True)
    t1.export_for_machines(tmp_path / "mixed.parquet", tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "mixed.csv").read_bytes()


def test_typed_values_have_a_form_in_csv(tmp_path: Path):
    people = pd.DataFrame({"n": [2**53 + 1], "f": [0.1], "big": [4915123456789.0], "b": [True], "l": [{"a": [1]}]})
    people["t"] = pd.Timestamp("2026-07-01", tz="UTC")
    t1.export_for_machines(people, tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(newline="") as lines:
        assert list(csv.reader(lines))[1] == [
            "9007199254740993",
            "0.1",
            "4915123456789",
            "true",
            '{"a":[1]}',
            "2026-07-01T00:00:00Z",
        ]


# --- whole or not at all ----------------------------------------------------------------------------------

Export = Callable[..., Any]
WAYS: list[tuple[Export, str, dict[str, Any]]] = [
    (t1.export_for_people, "out.xlsx", {}),
    (t1.export_for_people, "out.csv", {}),
    (t1.export_for_machines, "out.csv", {}),
    (t1.export_for_machines, "out.parquet", {}),
    (t1.export_audience, "out.csv", {"platform": "google_customer_match"}),
]
every_way = pytest.mark.parametrize(("export", "name", "more"), WAYS)
PEOPLE = pd.DataFrame({"email": ["a@x.de"]})


@every_way
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_files_are_for_their_owner_alone(export: Export, name: str, more: dict[str, Any], mask: int, tmp_path: Path):
    before = os.umask(mask)
    try:
        export(PEOPLE, tmp_path / name, **more)
    finally:
        os.umask(before)
    assert os.listdir(tmp_path) == [name]
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


@every_way
def test_a_file_is_never_written_over_another_unasked(export: Export, name: str, more: dict[str, Any], tmp_path: Path):
    (tmp_path / name).write_text("mine")
    with pytest.raises(InputError, match="is there already; name another file, or say overwrite"):
        export(PEOPLE, tmp_path / name, **more)
    assert (tmp_path / name).read_text() == "mine"
    export(PEOPLE, tmp_path / name, overwrite=True, **more)
    assert (tmp_path / name).read_bytes() != b"mine"
    assert os.listdir(tmp_path) == [name]


@every_way
def test_a_link_is_not_followed(export: Export, name: str, more: dict[str, Any], tmp_path: Path):
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="is there already"):
        export(PEOPLE, tmp_path / name, **more)
    (tmp_path / "elsewhere").write_text("mine")
    export(PEOPLE, tmp_path / name, overwrite=True, **more)
    assert (tmp_path / "elsewhere").read_text() == "mine"
    assert not (tmp_path / name).is_symlink()


@every_way
@pytest.mark.parametrize("place", ["no such folder/{}", "a\0b{}"])
def test_a_place_that_cannot_be_is_told(export: Export, name: str, more: dict[str, Any], place: str, tmp_path: Path):
    with pytest.raises(InputError, match="cannot be written"):
        export(PEOPLE, tmp_path / place.format(name), **more)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(("export", "name", "more"), WAYS[:4])
def test_an_unreadable_row_stops_an_export_that_must_be_complete(
    export: Export, name: str, more: dict[str, Any], tmp_path: Path
):
    (tmp_path / "in.csv").write_text("a,b\n1,2\n3\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"row 2 of in\.csv cannot be exported, so nothing was written"):
        export(tmp_path / "in.csv", tmp_path / name, **more)
    assert os.listdir(tmp_path) == ["in.csv"]


@pytest.mark.parametrize(("export", "name", "more"), WAYS[:4])
def test_columns_without_a_row_are_a_file_with_a_header(
    export: Export, name: str, more: dict[str, Any], tmp_path: Path
):
    assert export(pd.DataFrame({"code": pd.Series([], dtype="string")}), tmp_path / name, **more) == 0
    assert (tmp_path / name).stat().st_size > 0


@every_way
def test_another_ending_is_refused(export: Export, name: str, more: dict[str, Any], tmp_path: Path):
    with pytest.raises(InputError, match=r"out\.ods: .* are written as \."):
        export(PEOPLE, tmp_path / "out.ods", **more)


def test_of_two_that_write_one_file_at_once_only_one_does(tmp_path: Path):
    both, written, refused = threading.Barrier(2, timeout=10), [], []

    def write(text: str) -> None:
        try:
            with replacing(tmp_path / "one.txt") as part:
                part.write_text(text)
                both.wait()
            written.append(text)
        except InputError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=write, args=(text,)) for text in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(tmp_path / "one.txt").read_text()] == written
    assert len(refused) == 1
    assert os.listdir(tmp_path) == ["one.txt"]


def test_an_interruption_leaves_nothing_behind(tmp_path: Path):
    def interrupted() -> None:
        with replacing(tmp_path / "half.csv") as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert os.listdir(tmp_path) == []


# --- goods of a run ---------------------------------------------------------------------------------------


def test_the_codes_of_a_run_can_be_exported(tmp_path: Path):
    with Sandbox() as sandbox:
        sandbox.load(Path(__file__).parents[1] / "sample_data" / "sandbox.toml")
        client = t1.Client(sandbox.base_url, sandbox.api_key)
        advocates = pd.DataFrame({"integration_id": ["00001", "00002"]})
        run = t1.create_referrals(client, advocates, campaign_id=45, journal=tmp_path / "r.sqlite", progress=False)
        t1.export_for_people(run.codes, tmp_path / "codes.xlsx")
        t1.export_for_machines(run.codes, tmp_path / "codes.csv")
        codes = run.codes["code"].tolist()
    [[header, *rows]] = sheets(tmp_path / "codes.xlsx")
    assert [row[header.index("code")] for row in rows] == codes
    assert [row[header.index("integration_id")] for row in rows] == ["00001", "00002"]
    assert column(tmp_path / "codes.csv", "code") == codes
