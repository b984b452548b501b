"""CSV files through the front door, held against an independent reading of the rules, one byte at a time."""

import csv
import gzip
import io
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t1data.errors import InputError
from t1data.tables import open_source
from t1data.tables.text import TextFile

FIRST_BLOCK = 1 << 16
LINE_BREAK = re.compile(rb"\r*(\n|\Z)")


@dataclass
class Reading:
    """What stands in a file: by row number its cells or the code of its problem."""

    rows: dict = field(default_factory=dict)
    lines: dict = field(default_factory=dict)
    blank: int = 0


class Refused(Exception):
    pass


def oracle(body, width):
    """Read the bytes behind a header of one line; every cell is bytes, an empty one is None."""
    reading, at, line = Reading(), 0, 2
    while at < len(body):
        end = at
        while end < len(body) and body[end : end + 1] == b"\r":
            end += 1
        if body[end : end + 1] == b"\n":
            reading.blank, at, line = reading.blank + 1, end + 1, line + 1
            continue
        if end == len(body):
            reading.blank, at = reading.blank + 1, end
            continue
        at, line = one_record(body, at, line, width, reading)
    return reading


def one_record(body, at, line, width, reading):
    fields, faults, first = [], set(), at
    while True:
        cell, at = one_field(body, at, faults)
        fields.append(cell or None)
        if body[at : at + 1] != b",":
            break
        at += 1
    end = LINE_BREAK.match(body, at).end()
    text = body[first:end]
    lines = text.count(b"\n") + (not text.endswith(b"\n"))
    if "stray_quote" in faults and (lines > 1 or text.count(b'"') % 2):
        raise Refused
    faults |= {"nul_character"} if b"\0" in text else set()
    faults |= {"ragged_row"} if len(fields) != width else set()
    order = ["nul_character", "stray_quote", "stray_line_break", "ragged_row"]
    row = len(reading.rows)
    reading.rows[row] = min(faults, key=order.index) if faults else tuple(fields)
    reading.lines[row] = line
    return end, line + lines


def one_field(body, at, faults):
    cell, quoted = b"", body[at : at + 1] == b'"'
    if quoted:
        cell, at = inside_quotes(body, at + 1)
    while body[at : at + 1] != b"," and not LINE_BREAK.match(body, at):
        faults |= {"stray_quote"} if quoted else set()
        faults |= {"stray_line_break"} if body[at : at + 1] == b"\r" else set()
        cell, at = cell + body[at : at + 1], at + 1
    return cell, at


def inside_quotes(body, at):
    cell = b""
    while body[at : at + 1] != b'"' or body[at : at + 2] == b'""':
        if at == len(body):
            raise Refused
        cell, at = cell + body[at : at + 1], at + (2 if body[at : at + 1] == b'"' else 1)
    return cell, at + 1


def read(path, **options):
    """Read a file through the front door into the same shape; lines only of rows with a problem."""
    source, reading, expected = open_source(path, **options), Reading(), 0
    for piece in source.slices():
        cells = [[v and v.encode() for v in column.to_pylist()] for column in piece.batch.columns]
        numbered = dict(zip(piece.rows.tolist(), zip(*cells, strict=True), strict=True))
        numbered |= {problem.row: problem.code for problem in piece.problems}
        assert sorted(numbered) == list(range(expected, piece.next_row))
        expected = piece.next_row
        reading.rows |= dict(sorted(numbered.items()))
        reading.lines |= {problem.row: problem.line for problem in piece.problems}
        reading.blank += piece.blank_lines
    return reading


def write(folder, data, name="people.csv"):
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def refusal(path, **options):
    """Message of the refusal, at the latest while reading."""
    with pytest.raises(InputError) as caught:
        read(path, **options)
    return str(caught.value)


PIECES = [
    *[b"a", b"1", b" ", b",", b",", b";", b'"', b'""', b"\n", b"\n", b"\r\n", b"\r", b"\r\r\n", b"\0", "é".encode()],
    *[
        b'"x"',
        b'"x,y"',
        b'"x\ny"',
        b'"x\r\ny"',
        b',"',
        b'",',
        b'"\n"',
        b"a,b\n",
        b'"a","b"\r\n',
        b'"""a"""',
        b"1,2,3\n",
    ],
]
BODIES = st.lists(st.sampled_from(PIECES), min_size=1, max_size=40).map(b"".join)


@settings(max_examples=250, deadline=None)
@given(body=BODIES, width=st.integers(1, 3))
def test_every_cell_problem_line_and_blank_line_is_what_the_rules_say(tmp_path_factory, body, width):
    header = b",".join([b"c%d" % at for at in range(width)])
    compare(tmp_path_factory, header + b"\n" + body, body, width, skip=0)


@settings(max_examples=120, deadline=None)
@given(body=BODIES, over=st.integers(0, 60))
def test_the_same_where_the_text_is_cut_into_blocks(tmp_path_factory, body, over):
    long = b"x" * (FIRST_BLOCK - len(b"a,b\n,y\n") - over) + b",y\n"
    compare(tmp_path_factory, b"a,b\n" + long + body, body, 2, skip=1)


def compare(factory, data, body, width, *, skip):
    path = write(factory.getbasetemp(), data, "case.csv")
    try:
        expected = oracle(body, width)
    except Refused:
        assert "quote" in refusal(path, delimiter=",")
        return
    if not expected.rows and not skip:
        assert "no rows" in refusal(path, delimiter=",")
        return
    seen = read(path, delimiter=",")
    rows = {row - skip: cells for row, cells in seen.rows.items() if row >= skip}
    assert rows == expected.rows
    assert seen.blank == expected.blank
    assert seen.lines == {row + skip: line + skip for row, line in expected.lines.items() if isinstance(rows[row], str)}


CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=80, deadline=None)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=20),
    delimiter=st.sampled_from(",;\t|"),
    style=st.sampled_from([(csv.QUOTE_MINIMAL, "\r\n"), (csv.QUOTE_ALL, "\n"), (csv.QUOTE_ALL, "\r\n")]),
)
def test_what_the_standard_library_writes_comes_back_cell_by_cell(tmp_path_factory, rows, delimiter, style):
    text, (quoting, end) = io.StringIO(), style
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerows([("a", "b", "c"), *rows])
    path = write(tmp_path_factory.getbasetemp(), text.getvalue(), "written.csv")
    seen = read(path, delimiter=delimiter)
    assert seen.rows == {at: tuple(cell.encode() or None for cell in row) for at, row in enumerate(rows)}


def test_cells_are_text_and_only_the_empty_cell_is_missing(tmp_path):
    cells = ["007", "-0", "+49", "1e5", "0x10", "1_000", "TRUE", "NA", "null", "None", "nan", "N/A", " ", "1.23E+10"]
    path = write(tmp_path, "id,b\n" + "".join(f"{cell},\n" for cell in cells) + '"",""\n')
    assert [row[0] for row in read(path).rows.values()] == [*(cell.encode() for cell in cells), None]
    assert {row[1] for row in read(path).rows.values()} == {None}


def test_a_source_of_text_says_how_it_is_read(tmp_path):
    source = open_source(write(tmp_path, "\n\na;b\n1;2\n"))
    assert (source.kind, source.name, source.is_text, source.rows) == ("csv", "people.csv", True, None)
    assert (source.delimiter, source.encoding, source.columns, source.header_lines) == (";", "utf-8", ("a", "b"), 3)


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_a_byte_order_mark_is_read_and_is_no_part_of_the_header(tmp_path, encoding):
    mark = "" if encoding in ("utf-8-sig", "utf-16", "utf-32") else "\ufeff"
    path = write(tmp_path, (mark + "id,name\n1,Zoë 😀\n").encode(encoding))
    assert open_source(path).columns == ("id", "name")
    assert read(path).rows == {0: (b"1", "Zoë 😀".encode())}


def test_a_mark_that_contradicts_the_given_encoding_is_refused(tmp_path):
    path = write(tmp_path, "id\n1\n".encode("utf-16"))
    assert "begins with the mark of utf-16-le" in refusal(path, encoding="latin-1")


def test_bytes_that_are_not_utf8_are_refused_with_offset_line_and_likely_encodings(tmp_path):
    path = write(tmp_path, b"id,name\n" + b"1,x\n" * 30_000 + b"2,Zo\xeb\n")
    message = refusal(path)
    assert "line 30002, byte 120012: 0xeb is not utf-8" in message
    assert "cp1252" in message


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-8", "cp1251", "shift_jis", "utf-16-le", "gb18030"])
def test_a_given_encoding_is_used_across_blocks(tmp_path, encoding):
    letter = {"cp1251": "Ж", "shift_jis": "あ", "gb18030": "你"}.get(encoding, "ë")
    path = write(tmp_path, ("id,name\n" + f"1,{letter}{letter}\n" * 60_000).encode(encoding))
    rows = read(path, encoding=encoding).rows
    assert len(rows) == 60_000
    assert set(rows.values()) == {(b"1", (letter * 2).encode())}


def test_windows_bytes_read_as_latin_1_are_refused_as_probably_cp1252(tmp_path):
    path = write(tmp_path, b"id,name\n1,caf\xe9\n2,\x93quoted\x94\n")
    message = refusal(path, encoding="latin-1")
    assert "line 3, byte 17: 0x93" in message
    assert 'probably cp1252. Pass encoding="cp1252"' in message
    assert read(path, encoding="cp1252").rows[1] == (b"2", "“quoted”".encode())


@pytest.mark.parametrize("encoding", ["nonsense", "base64", "", "utf-16"])
def test_an_encoding_that_cannot_be_used_is_refused(tmp_path, encoding):
    assert "encoding" in refusal(write(tmp_path, "id\n1\n"), encoding=encoding)


def test_utf16_without_a_mark_is_refused_with_the_way_out(tmp_path):
    path = write(tmp_path, "id,name\n1,a\n".encode("utf-16-le"))
    assert "utf-16-le" in refusal(path)


@pytest.mark.parametrize(("body", "width"), [("1,2,3\n", 3), ("1,2,3\n4,5,6\n", 3), ("1\n", 1)])
def test_a_ragged_row_is_a_problem_and_never_shifted_also_when_all_are(tmp_path, body, width):
    (piece,) = open_source(write(tmp_path, "a,b\n" + body)).slices()
    assert piece.batch.num_rows == 0
    fields = f"{width} field{'s' * (width > 1)}, the header has 2"
    assert [(p.row, p.code, p.value, p.line) for p in piece.problems] == [
        (at, "ragged_row", fields, at + 2) for at in range(body.count("\n"))
    ]


def test_an_unclosed_quote_is_refused_naming_the_line_where_it_opens(tmp_path):
    path = write(tmp_path, 'a,b\n1,2\n3,"four\n' + "5,6\n" * 100)
    assert "line 3: the quote that opens here is never closed" in refusal(path)


def test_an_unclosed_quote_that_a_later_one_seems_to_close_is_refused_as_well(tmp_path):
    path = write(tmp_path, 'a,b\n1,"two\n3,4\n5,"six"\n')
    assert "line 2: a quote opens here and is not closed properly" in refusal(path)


def test_an_unclosed_quote_does_not_fill_the_memory(tmp_path):
    path = write(tmp_path, b'a,b\n1,2\n3,"' + b"x" * (40 << 20))
    assert "line 3: the quote that opens here is never closed" in refusal(path)


def test_a_line_too_long_to_be_sent_is_refused(tmp_path):
    path = write(tmp_path, b"a,b\n1,2\n3," + b"x" * (40 << 20))
    assert "line 3: the line is longer than 12 MB" in refusal(path)


def test_a_field_of_ten_megabytes_is_read(tmp_path):
    long = b"x, y\n" * (2 << 20)
    assert read(write(tmp_path, b'a,b\n1,"' + long + b'"\n2,3\n')).rows == {0: (b"1", long), 1: (b"2", b"3")}


def test_lines_that_end_with_cr_alone_are_read(tmp_path):
    path = write(tmp_path, b'a,b\r1,2\r\r"x\ny",4\r5')
    seen = read(path)
    assert seen.rows == {0: (b"1", b"2"), 1: (b"x\ny", b"4"), 2: "ragged_row"}
    assert (seen.blank, seen.lines) == (1, {2: 5})


def test_lf_in_a_file_whose_lines_end_with_cr_is_refused_with_the_line(tmp_path):
    assert "line 3: the line ends with LF, others with CR" in refusal(write(tmp_path, b"a,b\r1,2\r3,4\n5,6\r"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_and_shown(tmp_path, delimiter):
    lines = [["id", "spend, net", "note"], ["1", "3,5", "a;b"], ["2", "4,5", "c|d"]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(lines)
    source = open_source(write(tmp_path, text.getvalue()))
    assert source.delimiter == delimiter
    assert source.columns == tuple(lines[0])


def test_two_delimiters_that_fit_equally_well_are_not_guessed_between(tmp_path):
    path = write(tmp_path, "a;b,c\n1;2,3\n")
    assert "',' and ';' divide the lines equally well. Pass delimiter=" in refusal(path)
    assert open_source(path, delimiter=";").columns == ("a", "b,c")


def test_one_column_whose_header_holds_a_delimiter_is_refused(tmp_path):
    path = write(tmp_path, "id;name\n1;x\n")
    assert "only one column, and its header holds ';'" in refusal(path, delimiter=",")


def test_a_file_with_one_column_is_fine_and_its_empty_lines_are_no_rows(tmp_path):
    path = write(tmp_path, 'id\n1\n\n""\n2\n\n')
    seen = read(path)
    assert seen.rows == {0: (b"1",), 1: (None,), 2: (b"2",)}
    assert seen.blank == 2


@pytest.mark.parametrize("delimiter", ["", ";;", '"', "\n", "é"])
def test_a_delimiter_that_cannot_divide_is_refused(tmp_path, delimiter):
    assert "one ASCII character" in refusal(write(tmp_path, "a,b\n1,2\n"), delimiter=delimiter)


@pytest.mark.parametrize(
    ("header", "named"),
    [
        ("a,b,a", "more than once: 'a'"),
        ("a,,b,", "without a name (counted from 1): 2, 4"),
        ("a, b", "spaces around them: ' b'"),
        ("Id,iD,x", "only in case: 'Id', 'iD'"),
    ],
)
def test_column_names_that_cannot_be_told_apart_are_refused_by_name(tmp_path, header, named):
    assert named in refusal(write(tmp_path, f"{header}\n1,2,3,4\n"))


@pytest.mark.parametrize("text", ["", "\n\n \n", "a,b", "a,b\n", "a,b\r\n\r\n", "\ufeff", "\ufeffa,b\n"])
def test_a_file_without_rows_is_refused(tmp_path, text):
    assert "no rows" in refusal(write(tmp_path, text))


def test_gzip_is_read_by_its_content_under_any_name(tmp_path):
    packed = gzip.compress(b"a,b\n1,2\n")
    assert read(write(tmp_path, packed, "people.csv.gz")).rows == {0: (b"1", b"2")}
    assert read(write(tmp_path, packed, "people.csv")).rows == {0: (b"1", b"2")}
    assert read(write(tmp_path, b"a,b\n1,2\n", "people.csv.gz")).rows == {0: (b"1", b"2")}


@pytest.mark.parametrize("damage", [lambda b: b[:-9], lambda b: b[:200] + b"\0\0\0" + b[203:], lambda b: b + b"rest"])
def test_damaged_gzip_is_refused(tmp_path, damage):
    packed = gzip.compress(b"a,b\n" + os.urandom(3000).hex().encode() + b",2\n")
    assert "damaged or cut off" in refusal(write(tmp_path, damage(packed), "people.csv.gz"))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04" + b"x" * 50, "an XLSX workbook or another zip archive, and is damaged or cut off"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 50, "old Excel"),
        (b"\n<!DOCTYPE html><html>", "HTML"),
        (b"\xef\xbb\xbf<html><body>", "HTML"),
        (b"%PDF-1.7 ...", "PDF"),
        (gzip.compress(b"PK\x03\x04...", mtime=0), "zip, in a packed file"),
        (gzip.compress(b"PAR1...", mtime=0), "parquet, in a packed file"),
    ],
)
def test_other_kinds_of_file_are_refused_by_their_true_name(tmp_path, content, kind):
    assert kind in refusal(write(tmp_path, content))


def test_columns_are_read_as_asked_and_rows_still_checked_whole(tmp_path):
    source = open_source(write(tmp_path, "a,b,c\n1,2,3\n4,5\n"))
    (piece,) = source.slices(["c", "a"])
    assert piece.batch.to_pydict() == {"c": ["3"], "a": ["1"]}
    assert [problem.row for problem in piece.problems] == [1]
    with pytest.raises(InputError, match="no column 'd'"):
        source.slices(["d"])
    with pytest.raises(InputError, match="names no column"):
        source.slices([])


def test_a_file_that_changes_is_noticed(tmp_path):
    path = write(tmp_path, "a,b\n" + "1,2\n" * 200_000)
    source = open_source(path)
    source.check_unchanged()
    slices = source.slices()
    next(slices)
    path.write_bytes(path.read_bytes() + b"3,4\n")
    with pytest.raises(InputError, match="changed while being read"):
        list(slices)
    path.unlink()
    with pytest.raises(InputError, match="no file"):
        source.check_unchanged()


@pytest.mark.parametrize("shift", range(4))
@pytest.mark.parametrize("character", ["é", "李", "😀"])
def test_a_character_may_lie_across_two_blocks_and_one_that_is_cut_is_told_by_its_byte(
    tmp_path: Path, character: str, shift: int
) -> None:
    text = ("x" * shift + character * 40_000).encode()
    path = tmp_path / "people.csv"
    path.write_bytes(text)
    assert b"".join(TextFile.of(path).blocks()) == text
    at = FIRST_BLOCK - len(character.encode()) + shift  # somewhere about the end of the first block
    path.write_bytes(text[:at] + b"\xff" + text[at + 1 :])
    lead = len((text[:at]).decode(errors="ignore").encode())
    with pytest.raises(InputError, match=f"byte {lead}:"):
        list(TextFile.of(path).blocks())
    path.write_bytes(text[:-1])
    with pytest.raises(InputError, match=f"byte {len(text) - len(character.encode())}:"):
        list(TextFile.of(path).blocks())
