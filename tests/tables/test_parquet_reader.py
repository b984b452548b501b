"""Parquet files, folders and globs through the front door."""

import decimal
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from t1data.errors import InputError
from t1data.tables import SLICE_ROWS, open_source


def table(rows=3, **columns):
    return pa.table({"id": [f"{at:05}" for at in range(rows)], "n": range(rows)} | columns)


def write(path, content, **options):
    pq.write_table(content, path, **options)
    return path


def read(source, columns=None):
    pieces = list(source.slices(columns))
    assert np.concatenate([piece.rows for piece in pieces]).tolist() == list(range(source.rows))
    assert pieces[-1].next_row == source.rows
    return pa.Table.from_batches([piece.batch for piece in pieces])


def test_rows_are_known_before_reading_and_numbered_across_row_groups(tmp_path):
    path = write(tmp_path / "a.parquet", table(20_000), row_group_size=3000)
    source = open_source(path)
    assert (source.kind, source.rows, source.is_text) == ("parquet", 20_000, False)
    assert max(piece.batch.num_rows for piece in source.slices()) <= SLICE_ROWS
    assert read(source).equals(table(20_000))
    assert read(source).equals(table(20_000))


def test_types_and_values_stay_as_they_are_in_the_file(tmp_path):
    content = pa.table(
        {
            "whole": pa.array([2**53 + 1, None], pa.int64()),
            "big": pa.array([2**64 - 1, None], pa.uint64()),
            "money": pa.array([decimal.Decimal("1.10"), None], pa.decimal128(20, 2)),
            "word": pa.array(["NA", None]).dictionary_encode(),
            "when": pa.array([1, None], pa.timestamp("ns", "UTC")),
            "list": pa.array([["a", None], []], pa.list_(pa.string())),
            "half": pa.array([1.5, float("nan")], pa.float32()),
        }
    )
    source = open_source(write(tmp_path / "a.parquet", content))
    assert str(read(source).to_pylist()) == str(content.to_pylist())
    assert source.schema.types == content.schema.types


def test_columns_come_in_the_order_asked_for_also_when_a_name_has_a_dot(tmp_path):
    source = open_source(write(tmp_path / "a.parquet", pa.table({"a": [1], "a.b": [2], "c": [{"x": 3}]})))
    assert read(source, ["c", "a"]).to_pylist() == [{"c": {"x": 3}, "a": 1}]
    assert read(source, ["a.b"]).to_pylist() == [{"a.b": 2}]


def test_the_content_tells_not_the_name(tmp_path):
    assert open_source(write(tmp_path / "people.csv", table())).kind == "parquet"


@pytest.mark.parametrize("given", ["", "/*.parquet"])
def test_a_folder_or_glob_is_read_in_the_order_of_names(tmp_path, given):
    write(tmp_path / "b.parquet", table(3))
    write(tmp_path / "a.parquet", table(2))
    write(tmp_path / "c.parquet", table(1).slice(0, 0))
    (tmp_path / "_SUCCESS").touch()
    source = open_source(f"{tmp_path}{given}")
    assert read(source)["n"].to_pylist() == [0, 1, 0, 1, 2]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (pa.table({"id": ["1"], "n": ["x"]}), "column 'n': string, not int64"),
        (pa.table({"id": ["1"]}), "column 'n': missing, not int64"),
        (pa.table({"id": ["1"], "n": [1], "more": [1]}), "column 'more': int64, not missing"),
    ],
)
def test_files_of_a_folder_that_differ_are_refused_naming_file_and_column(tmp_path, other, told):
    write(tmp_path / "a.parquet", table())
    write(tmp_path / "b.parquet", other)
    with pytest.raises(InputError, match=r"b\.parquet differs from .*a\.parquet") as caught:
        open_source(tmp_path)
    assert told in str(caught.value)


def test_a_folder_without_parquet_or_with_folders_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"without a \.parquet file"):
        open_source(tmp_path)
    (tmp_path / "month=1").mkdir()
    with pytest.raises(InputError, match="holds folders"):
        open_source(tmp_path)
    with pytest.raises(InputError, match="No file matches"):
        open_source(tmp_path / "*.parquet")


def test_a_glob_over_text_files_is_refused(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("id\n1\n")
    with pytest.raises(InputError, match="must all be Parquet"):
        open_source(tmp_path / "*.csv")


@pytest.mark.parametrize("damage", [lambda b: b[:-50], lambda b: b[:40], lambda b: b[:-4] + b"XXXX"])
def test_a_damaged_file_is_refused_in_words(tmp_path, damage):
    path = write(tmp_path / "a.parquet", table())
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(InputError, match="damaged or cut off"):
        open_source(path)


def test_damage_inside_the_pages_is_refused_while_reading(tmp_path):
    path = write(tmp_path / "a.parquet", table(5000), compression="zstd")
    content = bytearray(path.read_bytes())
    content[200:2000] = bytes(1800)
    path.write_bytes(content)
    source = open_source(path)
    with pytest.raises(InputError, match="damaged or cut off"):
        list(source.slices())


def test_an_encrypted_file_is_refused_as_such(tmp_path):
    path = write(tmp_path / "a.parquet", table())
    content = path.read_bytes()
    path.write_bytes(b"PARE" + content[4:-4] + b"PARE")
    with pytest.raises(InputError, match="encrypted"):
        open_source(path)


def test_no_rows_and_names_that_cannot_be_told_apart_are_refused(tmp_path):
    with pytest.raises(InputError, match="no rows"):
        open_source(write(tmp_path / "a.parquet", table().slice(0, 0)))
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["id", "id"])
    with pytest.raises(InputError, match="more than once: 'id'"):
        open_source(write(tmp_path / "b.parquet", twice))


def test_the_fingerprint_is_that_of_the_bytes_and_a_change_is_noticed(tmp_path):
    path = write(tmp_path / "a.parquet", table())
    source = open_source(path)
    seen = source.fingerprint()
    assert (seen["kind"], seen["name"], seen["size"]) == ("parquet", "a.parquet", path.stat().st_size)
    assert open_source(write(tmp_path / "b.parquet", table())).fingerprint()["sha256"] == seen["sha256"]
    write(path, table(4))
    with pytest.raises(InputError, match="changed while being read"):
        list(source.slices())


def test_memory_stays_flat_when_the_file_is_ten_times_as_long(tmp_path):
    small, large = (write(tmp_path / f"{n}.parquet", noise(n), row_group_size=50_000) for n in (100_000, 1_000_000))
    assert peak_of(large) < peak_of(small) + 60


def noise(rows):
    return pa.table({"n": np.random.default_rng(1).integers(0, 2**60, rows), "id": np.arange(rows).astype(str)})


def peak_of(path):
    """Peak memory in MB of a process that reads a file."""
    script = (
        "import sys, resource; from t1data.tables import open_source\n"
        "for piece in open_source(sys.argv[1]).slices(): pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    return int(subprocess.run([sys.executable, "-c", script, path], capture_output=True, check=True).stdout)
