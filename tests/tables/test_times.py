"""Times reach the wire as RFC 3339 in UTC; what is not one clear instant is a problem."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire import codes, one_column, values

from t1data.errors import InputError
from t1data.tables.layout import resolve_layout
from t1data.tables.times import time_literals, time_tokens

BERLIN = ZoneInfo("Europe/Berlin")


def text_times(*cells: str | None, **options: Any) -> Any:
    return one_column(pa.array(cells, pa.string()), is_text=True, types={"value": "time"}, **options)


@pytest.mark.parametrize(
    ("cell", "sent"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02t03:04:05z", "2026-01-02T03:04:05Z"),
        ("2026-01-02 03:04:05+02:00", "2026-01-02T01:04:05Z"),
        ("2026-01-02T03:04+0200", "2026-01-02T01:04:00Z"),
        ("2026-01-02T03:04:05.5-00:00", "2026-01-02T03:04:05.500000Z"),
        ("2026-01-02T03:04:05.123456000Z", "2026-01-02T03:04:05.123456Z"),
    ],
)
def test_text_with_an_offset_is_sent_in_utc(cell: str, sent: str) -> None:
    assert values(text_times(cell)) == [sent]


@pytest.mark.parametrize(
    ("cell", "sent"),
    [
        ("2026-07-02", "2026-07-01T22:00:00Z"),
        ("2026-07-02 03:04", "2026-07-02T01:04:00Z"),
        ("2026-07-02T03:04:05.25", "2026-07-02T01:04:05.250000Z"),
        ("2026-07-02T03:04:05Z", "2026-07-02T03:04:05Z"),
    ],
)
def test_text_without_an_offset_is_read_in_the_declared_zone(cell: str, sent: str) -> None:
    assert values(text_times(cell, tz="Europe/Berlin")) == [sent]


@pytest.mark.parametrize("cell", ["2026-07-02", "2026-07-02 03:04", "2026-07-02T03:04:05.25"])
def test_text_without_an_offset_and_without_a_declared_zone_is_a_problem(cell: str) -> None:
    encoded = text_times("2026-07-02T00:00:00Z", cell)
    assert codes(encoded) == [(1, "naive_time")]
    assert "tz=" in encoded.problems[0].message


@pytest.mark.parametrize("cell", ["2026-03-29 02:30:00", "2026-10-25 02:30:00"])
def test_a_local_time_that_the_clock_showed_never_or_twice_is_a_problem(cell: str) -> None:
    assert codes(text_times(cell, tz="Europe/Berlin")) == [(0, "ambiguous_time")]
    assert codes(text_times(cell, tz="UTC")) == []
    naive = pa.array([datetime.fromisoformat(cell)], pa.timestamp("ms"))
    assert codes(one_column(naive, tz="Europe/Berlin")) == [(0, "ambiguous_time")]


@pytest.mark.parametrize(
    "cell",
    [
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00+24:00",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59-01:00",
        "10000-01-01T00:00:00Z",
        " 2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z\n",
        "01.02.2026",
        "1767322800",
        "soon",
        "٢٠٢٦-01-01T00:00:00Z",
    ],
)
def test_what_is_no_time_is_a_problem_of_its_row(cell: str) -> None:
    encoded = text_times("2026-01-01T00:00:00Z", cell, None, tz="Europe/Berlin")
    assert codes(encoded) == [(1, "bad_time")]
    assert encoded.rows.tolist() == [0, 2]


def test_more_than_microseconds_is_a_problem_unless_cutting_is_declared() -> None:
    cell = "1969-12-31T23:59:59.1234567Z"
    fine = pa.array([1001, 1000, -1, None], pa.timestamp("ns", "UTC"))
    assert codes(text_times(cell)) == [(0, "time_too_precise")]
    assert values(text_times(cell, truncate_times=True)) == ["1969-12-31T23:59:59.123456Z"]
    assert codes(one_column(fine)) == [(0, "time_too_precise"), (2, "time_too_precise")]
    assert values(one_column(fine, truncate_times=True)) == [
        "1970-01-01T00:00:00.000001Z",
        "1970-01-01T00:00:00.000001Z",
        "1969-12-31T23:59:59.999999Z",
        None,
    ]


@pytest.mark.parametrize("arrow", [pa.timestamp("s"), pa.timestamp("ns"), pa.date32(), pa.date64()], ids=str)
def test_a_typed_column_of_naive_times_is_refused_before_any_row_and_the_zone_is_asked_for(arrow: pa.DataType) -> None:
    schema = pa.schema({"integration_id": pa.string(), "joined": arrow})
    with pytest.raises(InputError, match=r"column 'joined' .* holds times without a zone: .* tz="):
        resolve_layout(schema, is_text=False)


def test_a_date_is_the_midnight_of_the_declared_zone() -> None:
    for arrow in (pa.date32(), pa.date64()):
        array = pa.array([date(2026, 7, 2), None], arrow)
        assert values(one_column(array, tz="Europe/Berlin")) == ["2026-07-01T22:00:00Z", None]


def test_a_time_that_no_year_of_four_digits_holds_is_a_problem() -> None:
    ticks = [-62_135_596_800, -62_135_596_801, 253_402_300_799, 253_402_300_800, 2**62, -(2**62)]
    encoded = one_column(pa.array(ticks, pa.timestamp("s", "UTC")))
    assert values(encoded) == ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
    assert codes(encoded) == [(1, "bad_time"), (3, "bad_time"), (4, "bad_time"), (5, "bad_time")]


def test_an_unknown_zone_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="tz: got 'Mars/Olympus', valid are names such as"):
        text_times("2026-01-01", tz="Mars/Olympus")


def test_times_declared_as_text_are_sent_as_the_same_text() -> None:
    assert values(one_column(pa.array([datetime(2026, 1, 1, tzinfo=UTC)]), types={"value": "string"})) == [
        "2026-01-01T00:00:00Z"
    ]


UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("unit", UNITS)
@settings(max_examples=40)
@given(data=st.data())
def test_instants_of_any_unit_arrive(unit: str, data: st.DataObject) -> None:
    micros = st.integers(-(2**62) // 1000, 2**62 // 1000) if unit == "ns" else st.integers(-6 * 10**16, 25 * 10**16)
    ticks = [value * UNITS[unit] // 10**6 for value in data.draw(st.lists(micros, max_size=10))]
    encoded = one_column(pa.array(ticks, pa.timestamp(unit, "Europe/Berlin")))
    expected = [EPOCH + timedelta(microseconds=tick * 10**6 // UNITS[unit]) for tick in ticks]
    assert [datetime.fromisoformat(text) for text in values(encoded)] == expected


@given(cells=st.lists(st.datetimes(datetime.fromisoformat("1800-01-01"), datetime.fromisoformat("2200-01-01"))))
def test_local_times_are_read_as_the_clock_of_the_zone_or_told(cells: list[datetime]) -> None:
    encoded = one_column(pa.array(cells, pa.timestamp("us")), tz="Europe/Berlin")
    clear = [at for at, cell in enumerate(cells) if cell.replace(tzinfo=BERLIN).utcoffset() == both(cell)]
    assert encoded.rows.tolist() == clear
    local = [cells[at].replace(tzinfo=BERLIN).astimezone(UTC) for at in clear]
    assert [datetime.fromisoformat(text) for text in values(encoded)] == local
    assert {code for _, code in codes(encoded)} <= {"ambiguous_time"}


def both(cell: datetime) -> timedelta | None:
    """The offset of the clock on the second time that it shows this time."""
    return cell.replace(tzinfo=BERLIN, fold=1).utcoffset()


@given(cells=st.lists(st.datetimes(timezones=st.sampled_from([UTC, BERLIN, timezone(timedelta(hours=-9.5))]))))
def test_text_of_any_offset_is_the_same_instant_as_its_typed_twin(cells: list[datetime]) -> None:
    cells = [cell for cell in cells if 1 < cell.year < 9999 and not (cell.utcoffset() or timedelta()).seconds % 60]
    sent = values(text_times(*(cell.isoformat() for cell in cells)))
    assert [datetime.fromisoformat(text) for text in sent] == [cell.astimezone(UTC) for cell in cells]


def test_the_same_moment_is_the_same_text_whatever_stands_in_the_rows_around_it() -> None:
    whole, fine = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
    texts = [
        time_tokens(pa.array([whole, *others], pa.timestamp("us", "UTC"))).text[0] for others in ([], [fine, None])
    ]
    assert [text.as_py() for text in texts] == ["2026-01-02T03:04:05"] * 2


FRACTIONS = st.sampled_from(["", ".000000", ".000001", ".500000"])
WRITTEN = st.tuples(
    st.sampled_from(
        ["2026-01-02", "2026-02-30", "0000-01-01", "2024-02-29", "2026-13-01", "9999-12-31", "２026-01-02"]
    ),
    st.sampled_from("T "),
    st.sampled_from(["03:04:05", "23:59:59", "24:00:00", "23:60:00", "23:59:60", "3:04:05", "03-04-05"]),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.none() | WRITTEN, min_size=1, max_size=4), FRACTIONS)
def test_a_column_all_in_one_form_is_read_as_it_is_among_other_forms(
    cells: list[tuple[str, str, str] | None], fraction: str
) -> None:
    alike = ["".join(cell) + fraction + "Z" if cell else None for cell in cells]
    by_itself = time_literals(pa.array(alike, pa.string()))
    among = time_literals(pa.array([*alike, "2020-01-01T00:00+01:00"]))
    found = {flaw.code: flaw.at.tolist() for flaw in by_itself.flaws}
    assert found == {flaw.code: flaw.at.tolist() for flaw in among.flaws}
    wrong = {at for positions in found.values() for at in positions}
    texts = zip(by_itself.wrapped().to_pylist(), among.wrapped().to_pylist(), strict=False)
    assert all(mine == other for at, (mine, other) in enumerate(texts) if at not in wrong)
