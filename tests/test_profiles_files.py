"""CSV files as people have them, by the public door: what the sandbox received is held against Python's csv module."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import t1data as t1
from t1data.errors import InputError
from t1data.sandbox import Options

UPSERT = "update_customer_profiles_v2"
MARK = "\ufeff"


class Number(str):
    """A JSON number as it was written."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[t1.Sandbox]:
    with t1.Sandbox(options=Options(unknown_attribute="declare")) as running:
        yield running


@pytest.fixture(scope="module")
def client(sandbox: t1.Sandbox) -> Iterator[t1.Client]:
    with t1.Client(sandbox.base_url, sandbox.api_key, rate=None) as made:
        yield made


@pytest.fixture(autouse=True)
def _fresh(sandbox: t1.Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.reset()
    monkeypatch.setenv("T1DATA_RUNS", str(tmp_path / "runs"))


def received(sandbox: t1.Sandbox) -> dict[str, dict[str, Any]]:
    """Attributes by id; an id that came twice would be lost here, so it is refused."""
    found: dict[str, dict[str, Any]] = {}
    for request in sandbox.requests.of(UPSERT):
        body = json.loads(request.body or b"", parse_float=Number, parse_int=Number, parse_constant=pytest.fail)
        for profile in body["customerProfiles"]:
            assert profile["integrationId"] not in found
            found[profile["integrationId"]] = profile["attributes"]
    return found


def written(value: Any) -> str:
    """The characters of a value on the wire, without the quotes of a string."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def characters(sandbox: t1.Sandbox) -> dict[str, dict[str, str]]:
    return {
        id_: {name: written(value) for name, value in attributes.items()}
        for id_, attributes in received(sandbox).items()
    }


def rows_of(text: str, *, delimiter: str = ",") -> dict[str, dict[str, str]]:
    """What the csv module reads: cells by id and column, the empty ones left out."""
    header, *rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True) if row]
    assert all(len(row) == len(header) for row in rows)
    return {id_: {name: cell for name, cell in zip(header[1:], cells, strict=True) if cell} for id_, *cells in rows}


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


AS_PEOPLE_HAVE_THEM = {
    "words that other readers take for nothing": "integration_id,a,b\nNA,null,NaN\nnan,None,#N/A\nnull,-,1\n",
    "ids that look like numbers": "integration_id,a\n007,1\n7,2\n1e5,3\n-0,4\n+49,5\n0x10,6\n1_000,7\n1.0,8\nTRUE,9\n",
    "numbers as they are written": "integration_id,a,b,c\n1,1.10,-0,0.0\n2,2,0,100000000000000\n3,3.000,5,\n",
    "text that only looks like numbers": "integration_id,a,b,c,d,e\n1,007,+1,1.,.5,1e400\n2,8,1,1,1,1\n",
    "digits of other scripts": "integration_id,a,b\n1,١٢,１２\n2,3,4\n",
    "more digits than a double holds": "integration_id,a,b\n1,1234567890123456,0.1234567890123456789\n2,1,1\n",
    "booleans and what is nearly one": "integration_id,a,b,c\n1,true,True,yes\n2,false,true,no\n3,,false,\n",
    "blanks around cells": "integration_id,a,b\n1, 1,x \n2,2 ,\ty\n3,\u00a03,z\u3000\n",
    "quotes": 'integration_id,a\n1,"say ""hi"""\n2,5" disk\n3,""""\n4,"a,b;c"\n5,\'x\'\n',
    "lines inside cells": 'integration_id,a\r\n1,"x\ny"\r\n2,"x\r\ny"\r\n3,"x\ry"\r\n4,"\n"\r\n',
    "odd characters": "integration_id,a\n1,\x0b\x1c\x1f\x7f\n2,\u0085\u2028\n3,\ufffe\U0010ffff\n4,back\\slash\\n\n",
    "no line break at the end": 'integration_id,a\n1,x\n2,"y"',
    "lines of nothing": "\n\nintegration_id,a\n\n1,x\n\r\n\n2,y\n\n",
    "a last column that is always empty": "integration_id,a,b\n1,x,\n2,,\n3,y,\n",
    "a byte order mark": f"{MARK}integration_id,a\n1,x\n",
    "a mark in the first cell too": f"{MARK}integration_id,a\n{MARK}1,x\n2,{MARK}\n",
    "a mark in the first cell alone": f"integration_id,a\n{MARK}1,x\n{MARK}2,y\n",
}


@pytest.mark.parametrize("text", AS_PEOPLE_HAVE_THEM.values(), ids=AS_PEOPLE_HAVE_THEM.keys())
def test_every_cell_arrives_as_it_is_written(sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path, text: str) -> None:
    expected = rows_of(text.removeprefix(MARK))
    run = t1.upsert_profiles(client, write(tmp_path / "people.csv", text), progress=False)
    assert characters(sandbox) == expected
    assert run.counts["accepted"] == run.rows == len(expected)


def test_a_mark_stays_where_it_stands_in_every_part_of_a_long_file(
    sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path
) -> None:
    text = "integration_id,a\n" + "".join(f"{MARK}{row:05},{'x' * 40}\n" for row in range(30_000))
    t1.upsert_profiles(client, write(tmp_path / "people.csv", text), progress=False)
    assert received(sandbox).keys() == rows_of(text).keys()


def test_a_file_of_thousands_of_columns_arrives(sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path) -> None:
    names = [f"c{place}" for place in range(3000)]
    lines = [f"{row}," + ",".join(f'"{row}x{place}"' for place in range(3000)) for row in range(3)]
    text = "\n".join(["integration_id," + ",".join(names), *lines, "9,too,short"])
    run = t1.upsert_profiles(client, write(tmp_path / "people.csv", text), progress=False)
    assert run.counts["accepted"] == 3
    assert run.failures["reason"].to_dict() == {4: "ragged_row"}
    assert characters(sandbox) == rows_of("\n".join(text.split("\n")[:-1]))


REFUSED = {
    "nothing": (b"", "people.csv has no rows: it is empty. Check that it is the right file."),
    "an endless line": (b"x" * 1_100_000, "people.csv has no line that ends in its first MB. Check that it is the"),
    "a note for Excel": (
        b"sep=;\nintegration_id;a\n1;x\n",
        "begins with 'sep=;', a note for Excel. Take that line out: the delimiter is found without it.",
    ),
    "JSON": (
        b'{"integration_id": 1, "a": 2}\n',
        "people.csv is JSON text, not CSV, Parquet or XLSX. Save it as one of these.",
    ),
    "JSON in a list": (b'[{"integration_id": 1, "a": 2}]', "people.csv is JSON text, not CSV, Parquet or XLSX."),
    "row labels": (b",integration_id\n0,x\n", "has columns without a name (counted from 1): 1. Name them."),
    "latin-1": (b"integration_id,a\n1,Zo\xeb\n", "likely ones: cp1252, cp1250, cp1251. Or save the file as UTF-8."),
    "no text": (b"integration_id,a\n1,\x81\x98\xff\n", "Pass the right encoding=, or save the file as UTF-8."),
    "an open quote": (
        b'integration_id,a\n1,"x\n2,y\n',
        "line 2: the quote that opens here is never closed. Close it, or take it out.",
    ),
    "quotes behind backslashes": (
        b'integration_id,a\n1,"x\\"y"\n2,z\n',
        'line 2: a quote opens here and is not closed properly. Write a quote inside a quoted cell twice: "".',
    ),
}


@pytest.mark.parametrize(("content", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(
    sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        t1.upsert_profiles(client, path)
    assert told in str(raised.value)
    assert not len(sandbox.requests)


signs = st.sampled_from(["a", "7", "0", ".", "-", " ", ",", ";", '"', "\n", "\r\n", "\t", "é", "😀", "\\", MARK])
cells = st.lists(signs, max_size=6).map("".join)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=12), data=st.data())
def test_what_a_spreadsheet_writes_arrives(
    sandbox: t1.Sandbox, client: t1.Client, tmp_path: Path, rows: list[tuple[str, str]], data: st.DataObject
) -> None:
    sandbox.reset()
    delimiter, ending = data.draw(st.sampled_from([",", ";", "\t"])), data.draw(st.sampled_from(["\n", "\r\n"]))
    quoting = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=ending, quoting=quoting)
    writer.writerows([("integration_id", "a", "b"), *((f"{MARK}{row}", *pair) for row, pair in enumerate(rows))])
    path = write(tmp_path / "people.csv", out.getvalue())
    run = t1.upsert_profiles(client, path, journal=tmp_path / f"{len(list(tmp_path.iterdir()))}.db", progress=False)
    assert run.counts["accepted"] == len(rows)
    assert characters(sandbox) == rows_of(out.getvalue(), delimiter=delimiter)


def test_a_whole_run_from_a_file_loads_no_pandas(sandbox: t1.Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("integration_id,Name\n1,Ada\n2,\n1,Eve\n", encoding="utf-8")
    program = (
        "import sys, t1data as t1\n"
        "base_url, key, path, journal = sys.argv[1:]\n"
        "with t1.Client(base_url, key) as client:\n"
        "    run = t1.upsert_profiles(client, path, journal=journal, progress=False)\n"
        "    t1.upsert_profiles(client, path, journal=journal, progress=False)\n"
        "assert run.counts['accepted'] == 1, run.counts\n"
        "sys.exit('pandas' in sys.modules)"
    )
    arguments = [sandbox.base_url, sandbox.api_key, str(path), str(tmp_path / "run.sqlite")]
    subprocess.run([sys.executable, "-c", program, *arguments], check=True)
