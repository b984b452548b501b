"""Diffs of audiences, held against plain dictionaries and against SQLite."""

from __future__ import annotations

import csv
import errno
import gzip
import os
import sqlite3
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t1data.audiences.diff import diff_audiences
from t1data.audiences.engine import open_engine
from t1data.audiences.result import AudienceDiff
from t1data.errors import InputError

ID = "integration_id"
Rows = list[tuple[str, str | None, int | None]]


def table(rows: Rows) -> pa.Table:
    ids, tiers, visits = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.table(
        {
            ID: pa.array(ids, pa.string()),
            "tier": pa.array(tiers, pa.string()),
            "visits": pa.array(visits, pa.int64()),
        }
    )


def ids_of(*ids: str | None) -> pa.Table:
    return pa.table({ID: pa.array(ids, pa.string())})


def lines(diff: AudienceDiff, name: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in diff.stream(name).read_all().to_pylist()]


# --- against an oracle of dictionaries ----------------------------------------------------------------------

some_ids = st.text("aA0é ", min_size=1, max_size=3) | st.sampled_from(["007", "7", "NA", "1e5", "ß", "😀"])
some_rows = st.lists(
    st.tuples(some_ids, st.sampled_from(["gold", "Gold", "", None]), st.sampled_from([0, 1, 2**62, None])), max_size=12
)


def oracle(before: Rows, after: Rows) -> dict[str, Any]:
    """What should be found, worked out one customer at a time."""
    grouped: list[dict[str, list[tuple[Any, ...]]]] = [{}, {}]
    for side, rows in zip(grouped, (before, after), strict=True):
        for id_, *values in rows:
            side.setdefault(id_, []).append(tuple(values))
    old, new = grouped
    changed = []
    for id_ in sorted(old.keys() & new.keys(), key=str.encode):
        if len(set(old[id_])) == len(set(new[id_])) == 1:
            cells = zip(("tier", "visits"), old[id_][0], new[id_][0], strict=True)
            changed += [(id_, name, text(a), text(b)) for name, a, b in cells if a != b]
    return {
        "added": sorted(new.keys() - old.keys(), key=str.encode),
        "removed": sorted(old.keys() - new.keys(), key=str.encode),
        "kept": len(old.keys() & new.keys()),
        "changed": changed,
        "duplicates": sorted(
            (id_, name, len(values), len(set(values)) > 1)
            for name, side in (("before", old), ("after", new))
            for id_, values in side.items()
            if len(values) > 1
        ),
    }


def text(value: Any) -> str | None:
    return None if value is None else str(value)


@settings(max_examples=40, deadline=None)
@given(some_rows, some_rows)
def test_a_diff_finds_what_dictionaries_find(before: Rows, after: Rows) -> None:
    diff, wanted = diff_audiences(table(before), table(after)), oracle(before, after)
    assert [row[0] for row in lines(diff, "added")] == wanted["added"]
    assert [row[0] for row in lines(diff, "removed")] == wanted["removed"]
    assert diff.kept == wanted["kept"]
    assert lines(diff, "changed") == wanted["changed"]
    assert sorted(lines(diff, "duplicates")) == wanted["duplicates"]
    assert diff.counts["changed"] == len({row[0] for row in wanted["changed"]})
    assert diff.counts["before"] == diff.kept + diff.counts["removed"]
    assert diff.counts["after"] == diff.kept + diff.counts["added"]
    assert diff.same == (not (wanted["added"] or wanted["removed"] or wanted["changed"]))


@settings(max_examples=12, deadline=None)
@given(some_rows)
def test_an_audience_does_not_differ_from_itself(rows: Rows) -> None:
    diff = diff_audiences(table(rows), table(rows[::-1]))
    assert diff.same
    assert not diff.counts["twins"]


# --- against SQLite, 200,000 rows, from files, with a small limit ---------------------------------------------


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two Parquet files of 200,000 rows: 10 % left, 10 % joined, some changed, some stand twice."""
    folder = tmp_path_factory.mktemp("large")
    for name, first in (("before", 0), ("after", 20_000)):
        numbers = [first + place * 7919 % 200_000 for place in range(200_000)]
        numbers += numbers[:: 5_000 if name == "after" else 7_000]
        rows = {
            ID: [f"customer-{number:08d}" for number in numbers],
            "tier": [
                None if n % 11 == 0 else "gold" if n % 3 or (n % 97 == 0 and name == "after") else "basic"
                for n in numbers
            ],
            "spend": [None if n % 13 == 0 else n / 8 + (n % 89 == 0 and name == "after") for n in numbers],
        }
        pq.write_table(pa.table(rows), folder / f"{name}.parquet", row_group_size=30_000)
    return folder


@pytest.fixture(scope="module")
def sqlite(large: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as db:
        for name in ("before", "after"):
            rows = pq.read_table(large / f"{name}.parquet").to_pydict()
            db.execute(f"CREATE TABLE {name} (integration_id TEXT, tier TEXT, spend REAL)")
            db.executemany(f"INSERT INTO {name} VALUES (?, ?, ?)", zip(*rows.values(), strict=True))
            db.execute(f"CREATE INDEX of_{name} ON {name} (integration_id)")
        yield db


def test_two_hundred_thousand_rows_are_what_sqlite_says(large: Path, sqlite: sqlite3.Connection) -> None:
    diff = diff_audiences(large / "before.parquet", large / "after.parquet", memory_limit="100MB")
    missing = "SELECT integration_id FROM {} EXCEPT SELECT integration_id FROM {} ORDER BY 1"
    assert [row[:1] for row in lines(diff, "removed")] == sqlite.execute(missing.format("before", "after")).fetchall()
    assert [row[:1] for row in lines(diff, "added")] == sqlite.execute(missing.format("after", "before")).fetchall()
    changes = sqlite.execute(
        "WITH b AS (SELECT DISTINCT * FROM before), a AS (SELECT DISTINCT * FROM after)"
        " SELECT integration_id, 'tier', b.tier, a.tier FROM b JOIN a USING (integration_id) WHERE b.tier IS NOT a.tier"
        " UNION ALL SELECT integration_id, 'spend', b.spend, a.spend FROM b JOIN a USING (integration_id)"
        " WHERE b.spend IS NOT a.spend ORDER BY 1"
    ).fetchall()
    found = lines(diff, "changed")
    numbers = [(a, b, float(c or 0), float(d or 0)) for a, b, c, d in found if b == "spend"]
    assert numbers == [(a, b, c or 0.0, d or 0.0) for a, b, c, d in changes if b == "spend"]
    assert [row for row in found if row[1] == "tier"] == [row for row in changes if row[1] == "tier"]
    twice = "SELECT integration_id, '{0}', count(*), 0 FROM {0} GROUP BY 1 HAVING count(*) > 1"
    wanted = sqlite.execute(f"{twice.format('before')} UNION ALL {twice.format('after')}").fetchall()
    assert sorted(lines(diff, "duplicates")) == sorted(wanted)
    assert len(wanted) == 69
    assert diff.kept == 180_000


def test_a_small_limit_is_kept_and_leaves_nothing_behind(large: Path, tmp_path: Path) -> None:
    diff = diff_audiences(large / "before.parquet", large / "after.parquet", memory_limit="30MB", temp_folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert len(diff.added) == diff.counts["added"] == 20_000


def test_what_does_not_fit_into_memory_is_in_a_private_folder_until_the_end(tmp_path: Path) -> None:
    with open_engine(memory_limit="30MB", temp_folder=tmp_path) as engine:
        engine.run("CREATE TABLE wide AS SELECT i, repeat(md5(i::VARCHAR), 10) AS cell FROM range(200000) r(i)")
        (folder,) = tmp_path.iterdir()
        assert sum(file.stat().st_size for file in folder.rglob("*")) > 10_000_000
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert engine.numbers("SELECT count(DISTINCT i) FROM wide") == (200_000,)
    assert list(tmp_path.iterdir()) == []


def test_a_limit_that_cannot_be_kept_says_so(large: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="memory_limit='3MB' does not suffice"):
        diff_audiences(large / "before.parquet", large / "after.parquet", memory_limit="3MB", temp_folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", ["lots", "", "-1GB", "1", 5])
def test_a_limit_is_a_size(size: Any) -> None:
    with pytest.raises(InputError, match="valid are such as '1GB'"):
        diff_audiences(ids_of("1"), ids_of("2"), memory_limit=size)


def test_the_engine_downloads_nothing() -> None:
    with open_engine() as engine:
        names = "'autoinstall_known_extensions', 'autoload_known_extensions', 'allow_community_extensions'"
        said = engine.rows(f"SELECT name, value FROM duckdb_settings() WHERE name IN ({names})")
    assert {value for _, value in said} == {"false"}
    assert len(said) == 3


# --- what is taken ------------------------------------------------------------------------------------------

BEFORE = table([("001", "gold", 1), ("002", None, 2), ("003", "a,b", None)])
AFTER = table([("002", None, 3), ("003", 'q"', None), ("1e5", "gold", 9)])


def csv_file(path: Path, rows: pa.Table) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([rows.column_names, *zip(*rows.to_pydict().values(), strict=True)])
    return path


def parquet(path: Path, rows: pa.Table) -> Path:
    path.parent.mkdir(exist_ok=True)
    pq.write_table(rows, path)
    return path


def in_folder(folder: Path, rows: pa.Table) -> Path:
    for at in range(rows.num_rows):
        parquet(folder / f"{at}.parquet", rows.slice(at, 1))
    return folder


def packed(path: Path, rows: pa.Table) -> Path:
    path.write_bytes(gzip.compress(csv_file(path.with_suffix(".txt"), rows).read_bytes()))
    return path


TYPED = {
    "pandas": lambda path, rows: rows.to_pandas(types_mapper=pd.ArrowDtype),
    "polars": lambda path, rows: pl.DataFrame(rows),
    "table": lambda path, rows: rows,
    "reader": lambda path, rows: rows.to_reader(),
    "duckdb": lambda path, rows: duckdb.sql("SELECT * FROM rows"),
    "parquet": lambda path, rows: parquet(path / "rows.parquet", rows),
    "odd name": lambda path, rows: parquet(path / "it's [1] *.parquet", rows),
    "folder": lambda path, rows: in_folder(path / "parts", rows),
    "glob": lambda path, rows: in_folder(path / "parts", rows) / "*.parquet",
}


@pytest.mark.parametrize("old", TYPED)
@pytest.mark.parametrize("new", ["parquet", "table"])
def test_all_that_has_rows_is_taken_and_gives_the_same(old: str, new: str, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    diff = diff_audiences(TYPED[old](tmp_path / "old", BEFORE), TYPED[new](tmp_path / "new", AFTER))
    assert lines(diff, "removed") == [("001", "gold", 1)]
    assert lines(diff, "added") == [("1e5", "gold", 9)]
    assert lines(diff, "changed") == [("002", "visits", "2", "3"), ("003", "tier", "a,b", 'q"')]


def test_text_files_are_read_as_everywhere_in_the_project(tmp_path: Path) -> None:
    before = csv_file(tmp_path / "june.csv", BEFORE)
    after = packed(tmp_path / "july.csv.gz", AFTER)
    diff = diff_audiences(before, str(after))
    assert repr(diff) == "<AudienceDiff june.csv → july.csv.gz: 1 added, 1 removed, 2 kept, 2 changed>"
    assert lines(diff, "added") == [("1e5", "gold", "9")]
    (tmp_path / "august.csv").write_bytes('integration_id;tier\r\n002;\r\n003;"q"""\r\n1e5;gold\r\n'.encode("utf-16"))
    assert diff_audiences(after, tmp_path / "august.csv").same


def test_it_can_be_said_for_all_files_or_for_one_side_how_they_are_read(tmp_path: Path) -> None:
    old, new = tmp_path / "june.csv", tmp_path / "july.csv"
    old.write_bytes("integration_id;town\nä;Köln\nb;Bonn\n".encode("cp1252"))
    new.write_bytes("integration_id|town\nä|Köln\nb|Bonn,Köln\n".encode())
    with pytest.raises(InputError, match=r"input 'before': .* Pass the right encoding="):
        diff_audiences(old, new)
    found = diff_audiences(old, new, encoding={"before": "cp1252"}, delimiter={"after": "|", "before": ";"})
    assert lines(found, "changed") == [("b", "town", "Bonn", "Bonn,Köln")]
    assert diff_audiences(old, pd.DataFrame({ID: ["ä", "b"]}), encoding="cp1252").same
    assert diff_audiences(old, old, encoding="cp1252", delimiter=";").same


def test_the_sheet_of_a_workbook_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "members.xlsx"
    with pd.ExcelWriter(path) as book:
        for sheet, ids in (("June", ["a", "b"]), ("July", ["b", "c"])):
            pd.DataFrame({ID: ids}).to_excel(book, sheet_name=sheet, index=False)
    found = diff_audiences(path, path, sheet={"before": "June", "after": "July"})
    assert (lines(found, "removed"), lines(found, "added")) == ([("a",)], [("c",)])
    with pytest.raises(InputError, match="has 2 sheets"):
        diff_audiences(path, path)


def test_a_word_about_no_input_is_refused(tmp_path: Path) -> None:
    path = csv_file(tmp_path / "june.csv", BEFORE)
    with pytest.raises(InputError, match="sheet: got 'July', valid are 'before', 'after'"):
        diff_audiences(path, path, sheet={"July": "x"})
    with pytest.raises(InputError, match="input 'before': sheet= is for workbooks only"):
        diff_audiences(path, BEFORE, sheet="July")
    with pytest.raises(InputError, match="input 'after': encoding= is for CSV files only, and Table is none"):
        diff_audiences(path, BEFORE, encoding={"after": "cp1252"})
    with pytest.raises(InputError, match="There is no file"):
        diff_audiences(tmp_path / "nothing.csv", BEFORE, encoding="cp1252")


def test_nothing_of_the_callers_is_changed(tmp_path: Path) -> None:
    frame = BEFORE.to_pandas().set_index(pd.Index([5, 5, 7]))
    copy = frame.copy(deep=True)
    path = parquet(tmp_path / "after.parquet", AFTER)
    content = path.read_bytes()
    diff = diff_audiences(frame, path)
    diff.added.loc[:, "tier"] = "mine"
    pd.testing.assert_frame_equal(frame, copy)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", [*TYPED, "csv"])
def test_an_audience_without_members_is_one(kind: str, tmp_path: Path) -> None:
    if kind in ("folder", "glob"):
        return
    empty = csv_file(tmp_path / "e.csv", ids_of()) if kind == "csv" else TYPED[kind](tmp_path, ids_of())
    assert diff_audiences(empty, ids_of("1")).counts["added"] == 1
    empty = csv_file(tmp_path / "e.csv", ids_of()) if kind == "csv" else TYPED[kind](tmp_path, ids_of())
    assert diff_audiences(ids_of("1"), empty).counts["removed"] == 1


def test_a_file_without_a_header_has_no_ids(tmp_path: Path) -> None:
    (tmp_path / "nothing.csv").touch()
    with pytest.raises(InputError, match=r"input 'after': .*nothing\.csv has no rows: it is empty"):
        diff_audiences(ids_of("1"), tmp_path / "nothing.csv")


# --- ids ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [True, False])
def test_text_against_numbers_is_an_error_that_says_what_to_do(path: bool, tmp_path: Path) -> None:
    numbers: Any = pa.table({ID: [7, 8]})
    numbers = parquet(tmp_path / "n.parquet", numbers) if path else numbers
    with pytest.raises(InputError, match=r"text in before .* and numbers \(int64\) in after .* as text .*dtype=str"):
        diff_audiences(ids_of("007"), numbers)
    with pytest.raises(InputError, match=r"text in after .* and numbers"):
        diff_audiences(numbers, ids_of("007"))


def test_numbers_on_both_sides_are_compared_digit_by_digit(tmp_path: Path) -> None:
    before = parquet(tmp_path / "b.parquet", pa.table({ID: pa.array([2**53, 2**64 - 1], pa.uint64())}))
    diff = diff_audiences(before, pa.table({ID: pa.array([2**53, 2**53 + 1], pa.int64())}))
    assert lines(diff, "added") == [(str(2**53 + 1),)]
    assert lines(diff, "removed") == [(str(2**64 - 1),)]


@pytest.mark.parametrize("ids", [[1.0, 2.0], [True], ["1", 1]])
def test_a_column_that_cannot_hold_ids_is_refused(ids: list[Any]) -> None:
    with pytest.raises(InputError, match="input 'after': "):
        diff_audiences(ids_of("1"), pd.DataFrame({ID: ids}))


@pytest.mark.parametrize("native", [True, False])
def test_rows_without_an_id_are_problems_with_row_numbers(native: bool, tmp_path: Path) -> None:
    rows = ids_of("1", None, "2", "", "")
    diff = diff_audiences(parquet(tmp_path / "b.parquet", rows) if native else rows, ids_of("2", ""))
    assert diff.counts["problems_before"] == 3
    assert diff.problems[["side", "row", "code"]].to_dict("split")["data"] == [
        *(["before", row, "missing_id"] for row in (2, 4, 5)),
        ["after", 2, "missing_id"],
    ]
    assert (diff.counts["removed"], diff.kept, diff.counts["added"]) == (1, 1, 0)
    assert "rows of before without an id that can be read, which take no part: 3" in str(diff)


def test_a_row_of_a_frame_is_named_by_its_label() -> None:
    frame = pd.DataFrame({ID: ["1", None]}, index=["x", "y"])
    assert diff_audiences(frame, ids_of("1")).problems["row"].tolist() == ["y"]


def test_a_torn_row_of_a_text_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "torn.csv").write_text("integration_id,tier\n1,gold\n2,gold,x\n3,gold\n")
    diff = diff_audiences(tmp_path / "torn.csv", ids_of("1", "2", "3"))
    assert diff.problems[["row", "code"]].to_dict("split")["data"] == [[2, "ragged_row"]]
    assert diff.added[ID].tolist() == ["2"]


def test_the_column_of_ids_can_have_another_name() -> None:
    diff = diff_audiences(pa.table({"no": ["1"], "x": [1]}), pa.table({"no": ["1"], "x": [2]}), on="no")
    assert lines(diff, "changed") == [("1", "x", "1", "2")]
    exported = pa.table({"profileintegrationid": ["1", "2"]})
    assert diff_audiences(exported, ids_of("1")).counts["removed"] == 1
    with pytest.raises(InputError, match="input 'before': on: there is no column 'email'"):
        diff_audiences(ids_of("1"), ids_of("1"), on="email")


# --- twins and duplicates -----------------------------------------------------------------------------------

TWINS = {
    "case": ("Anna", "anna"),
    "space": ("anna ", "\u00a0anna"),
    "unicode form": (unicodedata.normalize("NFC", "Zoé"), unicodedata.normalize("NFD", "Zoé")),
    "invisible characters": ("an\u200bna", "anna"),
    "leading zeros": ("007", "7"),
    "several": (" 007", "7"),
}


@pytest.mark.parametrize("kind", TWINS)
def test_twins_are_reported_and_stay_apart(kind: str) -> None:
    one, other = TWINS[kind]
    for before, after in ((one, other), (other, one)):
        diff = diff_audiences(ids_of(before, "kept"), ids_of("kept", after, "new"))
        assert lines(diff, "twins") == [(before, after, kind)]
        assert (diff.counts["added"], diff.counts["removed"]) == (2, 1)


def test_no_other_ids_are_twins() -> None:
    for one, other in (("007a", "7a"), ("1e5", "100000"), ("0", ""), ("ab", "a b"), ("70", "7"), ("ß", "ss")):
        assert not diff_audiences(ids_of(one), ids_of(other)).counts["twins"]


def test_twins_of_those_who_stayed_are_found_on_request() -> None:
    before, after = ids_of("Anna", "7"), ids_of("Anna", "anna", "7")
    assert not diff_audiences(before, after).counts["twins"]
    assert lines(diff_audiences(before, after, all_twins=True), "twins") == [("Anna", "anna", "case")]
    assert lines(diff_audiences(after, before, all_twins=True), "twins") == [("anna", "Anna", "case")]


def test_a_thousand_ids_that_look_alike_do_not_make_a_million_pairs() -> None:
    spelled = ["".join(c.upper() if at >> bit & 1 else c for bit, c in enumerate("abcdefghijk")) for at in range(2000)]
    diff = diff_audiences(ids_of(*spelled[:1000]), ids_of(*spelled[1000:]))
    assert 1000 <= diff.counts["twins"] <= 2000


def test_an_id_in_several_rows_counts_once_and_is_not_taken_by_chance() -> None:
    before = table(
        [("a", "x", 1), ("b", "x", 1), ("b", "x", 1), ("c", "x", 1), ("c", "y", 1), ("gone", "x", 1), ("gone", "y", 1)]
    )
    diff = diff_audiences(before, table([("a", "x", 1), ("b", "y", 1), ("c", "z", 1)]))
    assert lines(diff, "duplicates") == [
        ("b", "before", 2, False),
        ("c", "before", 2, True),
        ("gone", "before", 2, True),
    ]
    assert lines(diff, "changed") == [("b", "tier", "x", "y")]
    assert lines(diff, "removed") == [("gone", None, 1)]  # what its rows agree in
    assert (diff.counts["before"], diff.kept) == (4, 3)


@pytest.mark.parametrize("cell", [0, 1])
def test_an_id_in_very_many_rows_of_both_sides_does_not_make_a_pair_of_each_two(cell: int) -> None:
    before, after = (table([("0", "x", value)] * 30_000 + [("1", "x", 1)]) for value in (0, cell))
    diff = diff_audiences(before, after)
    assert lines(diff, "duplicates") == [("0", "before", 30_000, False), ("0", "after", 30_000, False)]
    assert (diff.kept, diff.counts["changed"]) == (2, cell)


# --- compared columns ---------------------------------------------------------------------------------------


def one(kind: Any, value: Any) -> pa.Table:
    return pa.table({ID: ["1"], "x": pa.array([value], kind)})


UTC = pa.timestamp("us", "UTC")
SAME = [
    (one(pa.int8(), 7), one(pa.uint64(), 7)),
    (one(pa.float32(), 0.5), one(pa.float64(), 0.5)),
    (one(pa.int64(), 2**53), one(pa.float64(), 2.0**53)),
    (one(pa.int8(), None), one(pa.float16(), float("nan"))),
    (one(pa.decimal128(5, 2), Decimal("1.10")), one(pa.decimal128(9, 4), Decimal("1.1000"))),
    (one(pa.decimal128(5, 2), Decimal("7.00")), one(pa.int32(), 7)),
    (one(pa.timestamp("s", "Europe/Berlin"), 86400), one(pa.timestamp("ns", "UTC"), 86400 * 10**9)),
    (one(pa.timestamp("ms"), 5), one(pa.timestamp("ns"), 5_000_000)),
    (one(pa.date32(), 5), one(pa.date64(), 5 * 86400_000)),
    (one(pa.large_string(), "a"), one(pa.dictionary(pa.int8(), pa.string()), "a")),
    (one(pa.float64(), float("nan")), one(pa.float64(), None)),
    (one(pa.float64(), -0.0), one(pa.float64(), 0.0)),
    (one(pa.null(), None), one(pa.int64(), None)),
    (one(pa.list_(pa.string()), ["a", None]), one(pa.large_list(pa.string()), ["a", None])),
    (one(pa.string(), None), one(pa.string(), None)),
]


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("number", range(len(SAME)))
def test_equal_values_of_types_that_compare_exactly_are_equal(number: int, stored: bool, tmp_path: Path) -> None:
    before, after = (
        parquet(tmp_path / f"{at}.parquet", rows) if stored else rows for at, rows in enumerate(SAME[number])
    )
    assert diff_audiences(before, after).same
    assert diff_audiences(after, before).same


def test_a_full_disk_is_told_in_words_whoever_noticed_it() -> None:
    with pytest.raises(InputError, match="disk is full"), open_engine():
        raise OSError(errno.ENOSPC, "No space left on device")  # as Arrow says it, where DuckDB has words of its own


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
@pytest.mark.parametrize("stored", [True, False])
def test_nan_is_a_missing_value_beside_other_numbers_too(kind: Any, stored: bool, tmp_path: Path) -> None:
    sides = [
        pa.table({ID: ["1", "2", "3"], "x": pa.array([missing, 1, 2.5], kind), "y": [1, 2, number]})
        for number, missing in ((3, None), (4, float("nan")))
    ]
    before, after = (parquet(tmp_path / f"{at}.parquet", rows) if stored else rows for at, rows in enumerate(sides))
    assert lines(diff_audiences(before, after), "changed") == [("3", "y", "3", "4")]
    assert lines(diff_audiences(after, before), "changed") == [("3", "y", "4", "3")]


DIFFERENT = [
    (one(pa.int64(), 2**53), one(pa.uint64(), 2**53 + 1), str(2**53), str(2**53 + 1)),
    (one(pa.int64(), -1), one(pa.uint64(), 2**64 - 1), "-1", str(2**64 - 1)),
    (one(pa.float64(), 0.1), one(pa.float64(), 60.0), "0.1", "60"),
    (one(pa.float64(), float("nan")), one(pa.float64(), 1e22), None, "1e+22"),
    (one(pa.string(), ""), one(pa.string(), None), "", None),
    (one(pa.string(), "a"), one(pa.string(), "A"), "a", "A"),
    (one(pa.bool_(), True), one(pa.bool_(), False), "true", "false"),
    (one(pa.null(), None), one(pa.date32(), 0), None, "1970-01-01"),
    (one(UTC, -62135596800 * 10**6), one(UTC, 1), "0001-01-01 00:00:00.000000Z", "1970-01-01 00:00:00.000001Z"),
    (
        one(pa.timestamp("ns", "UTC"), 1),
        one(UTC, 0),
        "1970-01-01 00:00:00.000000001Z",
        "1970-01-01 00:00:00.000000000Z",
    ),
    (one(pa.decimal128(38, 2), Decimal("1.10")), one(pa.decimal128(38, 2), None), "1.10", None),
    (one(pa.list_(pa.int64()), [1, 2]), one(pa.list_(pa.int64()), [2, 1]), "[1, 2]", "[2, 1]"),
]


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("number", range(len(DIFFERENT)))
def test_a_value_that_changed_is_shown_exactly(number: int, stored: bool, tmp_path: Path) -> None:
    *sides, old, new = DIFFERENT[number]
    before, after = (parquet(tmp_path / f"{at}.parquet", rows) if stored else rows for at, rows in enumerate(sides))
    assert lines(diff_audiences(before, after), "changed") == [("1", "x", old, new)]
    assert lines(diff_audiences(after, before), "changed") == [("1", "x", new, old)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (one(pa.string(), "7"), one(pa.int64(), 7)),
        (one(pa.decimal128(5, 1), Decimal(7)), one(pa.float64(), 7.0)),
        (one(pa.timestamp("us"), 0), one(UTC, 0)),
        (one(pa.bool_(), True), one(pa.int8(), 1)),
        (one(pa.decimal128(38, 0), Decimal(1)), one(pa.decimal128(38, 9), Decimal(1))),
        (one(pa.binary(), b"a"), one(pa.binary(), b"a")),
        (one(pa.string(), "a"), pd.DataFrame({ID: ["1", "2"], "x": ["a", 1]})),
    ],
)
def test_columns_that_do_not_compare_exactly_are_an_error(before: Any, after: Any) -> None:
    with pytest.raises(InputError, match=r"column 'x' holds .* ids alone are compared"):
        diff_audiences(before, after)
    assert diff_audiences(before, after, compare=[]).compared == ()


def test_the_columns_that_both_sides_have_are_compared_and_others_named() -> None:
    before, after = (
        pa.table({ID: ["1"], "a": [1], "b": [1], "c": [1]}),
        pa.table({ID: ["1"], "b": [2], "c": [2], "d": [1]}),
    )
    diff = diff_audiences(before, after)
    assert (diff.compared, diff.only_before, diff.only_after) == (("b", "c"), ("a",), ("d",))
    assert [line[1] for line in lines(diff_audiences(before, after, compare=["c"]), "changed")] == ["c"]
    for wrong in (["a"], ["x"], "c"):
        with pytest.raises(InputError, match="compare: got"):
            diff_audiences(before, after, compare=wrong)


CELLS = [
    ("7", pa.int64(), 7, 8),
    ("-0.5", pa.float64(), -0.5, 0.5),
    ("1e22", pa.float64(), 1e22, 1.0),
    ("1.10", pa.decimal128(9, 3), Decimal("1.1"), Decimal("1.101")),
    ("true", pa.bool_(), True, False),
    ("", pa.int8(), None, 0),
    ("007", pa.string(), "007", "7"),
]


@pytest.mark.parametrize(("cell", "kind", "same", "other"), CELLS)
def test_the_cells_of_a_text_file_are_read_as_what_the_other_side_has(
    cell: str, kind: Any, same: Any, other: Any, tmp_path: Path
) -> None:
    (tmp_path / "june.csv").write_text(f"integration_id,x\n1,{cell}\n")
    assert diff_audiences(tmp_path / "june.csv", one(kind, same)).same
    assert diff_audiences(one(kind, same), tmp_path / "june.csv").same
    assert diff_audiences(tmp_path / "june.csv", one(kind, other)).counts["changed"] == 1


@pytest.mark.parametrize(
    ("cell", "kind", "value", "said"),
    [
        ("007", pa.int64(), 7, "text that is not a whole number"),
        ("7.5", pa.int64(), 7, "text that is not a whole number"),
        ("1,5", pa.float64(), 1.5, "text that is not a number"),
        ("1.105", pa.decimal128(9, 2), Decimal("1.1"), "a number of 2 decimals"),
        ("TRUE", pa.bool_(), True, "text that is not true or false"),
        ("300", pa.int8(), 3, "too large for the other side"),
        ("2026-07-01", pa.date32(), 0, "cannot be compared exactly"),
    ],
)
def test_a_cell_that_is_no_such_value_is_an_error_without_the_cell(
    cell: str, kind: Any, value: Any, said: str, tmp_path: Path
) -> None:
    (tmp_path / "june.csv").write_text(f'integration_id,x\n1,"{cell}"\n')
    with pytest.raises(InputError, match=said) as error:
        diff_audiences(tmp_path / "june.csv", one(kind, value))
    assert cell not in str(error.value)


def test_four_hundred_columns_are_compared_as_quickly_as_they_are_read() -> None:
    names = [f"column {number}" for number in range(400)]
    before = pa.table({ID: ["1", "2"], **dict.fromkeys(names, pa.array([1, 2]))})
    diff = diff_audiences(before, before.set_column(7, names[6], pa.array([1, 3])))
    assert lines(diff, "changed") == [("2", "column 6", "2", "3")]
    assert "column 11 and 388 more" in str(diff)


def test_names_of_columns_are_only_names() -> None:
    odd = {'a"b': [1], "it's; DROP TABLE pairs": [2], "id": [3], "kind": [4], "rows": [5]}
    diff = diff_audiences(pa.table({ID: ["1"], **odd}), pa.table({ID: ["1"], **{name: [9] for name in odd}}))
    assert sorted(line[1] for line in lines(diff, "changed")) == sorted(odd)


# --- the result ---------------------------------------------------------------------------------------------


def test_a_result_is_one_line_counts_first_and_holds_no_rows() -> None:
    diff = diff_audiences(table([("secret-1", "<b>", 1)]), table([("secret-2", "x", 1)]))
    assert repr(diff) == "<AudienceDiff Table → Table: 1 added, 1 removed, 0 kept, 0 changed>"
    shown = diff._repr_html_()
    assert shown.index("1 added") < shown.index("columns compared")
    assert "secret" not in shown + repr(diff) + str(diff) + str(diff.to_dict())
    with pytest.raises(AttributeError):
        diff.after = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        diff.counts["added"] = 0  # type: ignore[index]


def test_frames_keep_whole_numbers_whole() -> None:
    diff = diff_audiences(table([("1", None, None), ("2", "x", 2**62 + 1)]), table([]))
    assert diff.removed["visits"].tolist() == [pd.NA, 2**62 + 1]
    assert diff.removed.dtypes.astype(str).to_dict()["visits"] == "Int64"
    assert diff.added.columns.tolist() == diff.removed.columns.tolist() == [ID, "tier", "visits"]
    assert diff.changed.columns.tolist() == [ID, "column", "before", "after"]
    assert diff.twins.columns.tolist() == ["before", "after", "differ_in"]
    assert diff.duplicates.columns.tolist() == [ID, "side", "rows", "conflicting"]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_tables_are_written_whole_private_and_never_over_another(ending: str, tmp_path: Path) -> None:
    diff = diff_audiences(ids_of("1"), ids_of("007", 'a"b', "é"))
    path = tmp_path / f"added{ending}"
    assert diff.write("added", path) == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert diff_audiences(path, ids_of("007", 'a"b', "é")).same
    with pytest.raises(InputError, match="is there already"):
        diff.write("added", path)
    assert diff.write("removed", path, overwrite=True) == 1
    for wrong in (tmp_path / "x.xlsx", tmp_path / "no" / "x.csv"):
        with pytest.raises(InputError):
            diff.write("added", wrong)
    with pytest.raises(InputError, match="table: got 'kept', valid are 'added'"):
        diff.write("kept", tmp_path / "kept.csv")


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = parquet(tmp_path / "b.parquet", ids_of("1"))
    rows = [ids_of("1").to_batches()[0]]

    def meanwhile() -> Iterator[pa.RecordBatch]:
        os.utime(path, ns=(1, 1))
        yield from rows

    class Slow:
        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            reader = pa.RecordBatchReader.from_batches(rows[0].schema, meanwhile())
            return reader.__arrow_c_stream__(requested_schema)

    with pytest.raises(InputError, match="changed while being read"):
        diff_audiences(path, Slow())


def test_whole_numbers_that_no_float_holds_are_not_rounded() -> None:
    with pytest.raises(InputError, match=r"column 'x' holds whole numbers beyond 2\*\*53"):
        diff_audiences(one(pa.int64(), 2**53 + 1), one(pa.float64(), 2.0**53))


def test_text_that_is_not_utf8_is_an_error_without_the_text(tmp_path: Path) -> None:
    bad = pa.array([b"ok", b"secret\xff"]).view(pa.string())
    path = parquet(tmp_path / "bad.parquet", pa.table({ID: ["1", "2"], "x": bad}))
    good = pa.table({ID: ["1", "2"], "x": ["ok", "a"]})
    with pytest.raises(InputError, match="not UTF-8") as error:
        diff_audiences(path, good)
    assert "secret" not in str(error.value)
