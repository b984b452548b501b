"""The one door: what it accepts beside files and pandas, what it refuses, and what it leaves behind."""

import os
import stat
import tempfile
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from t1data.errors import InputError
from t1data.tables import open_source
from t1data.tables.files import readable

ROWS = 20_000
TABLE = pa.table({"id": [f"{at:05}" for at in range(ROWS)], "n": range(ROWS)})


def duckdb_relation():
    return duckdb.sql("select lpad(i::varchar, 5, '0') as id, i::bigint as n from range(20000) t(i)")


class Once:
    """A stream that can be taken once, as results of a query are."""

    def __init__(self):
        self.taken = 0

    def __arrow_c_stream__(self, requested_schema=None):
        self.taken += 1
        assert self.taken == 1
        return TABLE.__arrow_c_stream__(requested_schema)


GIVEN = [
    lambda: TABLE,
    lambda: TABLE.combine_chunks().to_batches()[0],
    lambda: TABLE.to_reader(777),
    lambda: pl.from_arrow(TABLE),
    lambda: pl.from_arrow(TABLE).with_columns(pl.col("id")),
    duckdb_relation,
    Once,
]


@pytest.mark.parametrize("make", GIVEN)
def test_tables_frames_readers_and_streams_are_read_again_and_again(make):
    source = open_source(make())
    assert (source.rows, source.columns, source.is_text) == (ROWS, ("id", "n"), False)
    for _ in range(2):
        pieces = list(source.slices())
        assert [row for piece in pieces for row in piece.rows.tolist()] == list(range(ROWS))
        whole = pa.Table.from_batches([piece.batch for piece in pieces])
        assert whole.to_pydict() == TABLE.to_pydict()


def test_two_readings_of_a_spooled_stream_do_not_disturb_each_other():
    source = open_source(TABLE.to_reader(500))
    pairs = list(zip(source.slices(["n"]), source.slices(["id", "n"]), strict=True))
    assert all(one.batch["n"].equals(two.batch["n"]) for one, two in pairs)
    assert sum(one.batch.num_rows for one, _ in pairs) == ROWS


def test_the_spool_has_no_name_and_only_its_owner_may_read_it(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = os.umask(0)
    try:
        source = open_source(TABLE.to_reader())
    finally:
        os.umask(before)
    found = os.fstat(source.reader.batches.file.fileno())
    assert (found.st_nlink, stat.S_IMODE(found.st_mode)) == (0, 0o600)
    assert os.listdir(tmp_path) == []


def test_strings_dictionaries_and_views_are_handed_on_readably():
    columns = {
        "view": pa.array(["a", None, "long enough to lie elsewhere"]).cast(pa.string_view()),
        "coded": pa.array(["x", None, "x"]).dictionary_encode(),
        "runs": pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array(["r", "s"])),
    }
    (piece,) = open_source(pa.table(columns)).slices()
    assert piece.batch.schema.types[0] == pa.string()
    assert piece.batch.to_pydict() == {
        "view": ["a", None, "long enough to lie elsewhere"],
        "coded": ["x", None, "x"],
        "runs": ["r", "r", "s"],
    }


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(["007", "long enough to lie elsewhere"])])
def test_categories_of_polars_are_read_as_the_texts_that_they_are(kind):
    texts = ["007", None, "long enough to lie elsewhere", "007"]
    source = open_source(pl.DataFrame({"a": pl.Series(texts, dtype=kind)}))
    (piece,) = source.slices()
    assert piece.batch.to_pydict() == {"a": texts}
    assert piece.batch.schema == source.schema
    assert source.fingerprint()["sha256"] == open_source(pl.DataFrame({"a": texts})).fingerprint()["sha256"]


def test_equal_content_has_an_equal_fingerprint_however_it_is_cut():
    hashes = {open_source(given).fingerprint()["sha256"] for given in (TABLE, TABLE.to_reader(7), duckdb_relation())}
    assert len(hashes) == 1
    assert open_source(TABLE.slice(1)).fingerprint()["sha256"] not in hashes


def test_fingerprints_tell_apart_what_only_looks_alike():
    columns = [["ab", "c"], ["a", "bc"], ["ab", None], ["ab", ""], [None, "ab"], [["ab"], ["c"]]]
    hashes = [open_source(pa.table({"a": column})).fingerprint()["sha256"] for column in columns]
    assert len(set(hashes)) == len(columns)


@pytest.mark.parametrize("given", [[{"id": 1}], {"id": [1]}, None, 3, b"people.csv", pd.Series([1])])
def test_anything_else_is_refused_naming_what_is_accepted(given):
    with pytest.raises(InputError, match=r"(a pandas or polars frame|stream of rows)"):
        open_source(given)


def test_a_stream_that_breaks_off_is_refused():
    def batches():
        yield TABLE.to_batches()[0]
        raise OSError("the other side went away")

    with pytest.raises(InputError, match="went away"):
        open_source(pa.RecordBatchReader.from_batches(TABLE.schema, batches()))


@pytest.mark.parametrize("given", [TABLE.slice(0, 0), TABLE.slice(0, 0).to_reader(), pl.DataFrame({"a": []})])
def test_tables_and_streams_without_rows_are_refused(given):
    with pytest.raises(InputError, match="no rows"):
        open_source(given)


def test_tables_and_streams_with_names_that_cannot_be_told_apart_are_refused():
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["id", "id"])
    for given in (twice, twice.to_reader()):
        with pytest.raises(InputError, match="more than once: 'id'"):
            open_source(given)


def test_text_options_are_refused_where_they_mean_nothing(tmp_path):
    with pytest.raises(InputError, match="for CSV files only"):
        open_source(TABLE, encoding="cp1252")
    pd.DataFrame({"id": ["1"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="for CSV files only"):
        open_source(tmp_path / "a.parquet", delimiter=";")


def test_a_path_may_be_text_or_a_path(tmp_path):
    path = tmp_path / "people [new]*.csv"
    path.write_text("id,n\n1,2\n")
    assert open_source(path).columns == open_source(str(path)).columns == ("id", "n")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("nowhere.csv", "There is no file nowhere.csv. Check the path"),
        ("a,b\n1,2", "There is no file"),
        ("", "is no path"),
        ("a\0b", "is no path"),
        ("x" * 5000, "cannot be read"),
        ("https://example.com/people.csv", "an address, not a path"),
        (os.devnull, "no regular file"),
    ],
)
def test_a_path_that_cannot_be_read_is_refused_saying_why(given, told):
    with pytest.raises(InputError) as caught:
        open_source(given)
    assert told in str(caught.value)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match="no regular file"):
        open_source(tmp_path / "pipe.csv")


def test_a_file_that_may_not_be_read_is_refused():
    with pytest.raises(InputError, match=r"people\.csv may not be read"), readable(Path("people.csv")):
        raise PermissionError  # root, as whom tests may run, is refused nothing


@pytest.mark.parametrize("kind", ["csv", "parquet", "pandas", "table", "stream", "polars"])
def test_columns_without_a_row_are_taken_on_request(kind: str, tmp_path: Path) -> None:
    table = pa.table({"integration_id": pa.array([], pa.string())})
    (tmp_path / "empty.csv").write_text("integration_id\n")
    pq.write_table(table, tmp_path / "empty.parquet")
    data = {
        "csv": tmp_path / "empty.csv",
        "parquet": tmp_path / "empty.parquet",
        "pandas": table.to_pandas(),
        "table": table,
        "stream": table.to_reader(),
        "polars": pl.DataFrame(table),
    }[kind]
    source = open_source(data, allow_empty=True)
    assert source.columns == ("integration_id",)
    assert sum(len(piece.rows) for piece in source.slices()) == 0
