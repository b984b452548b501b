"""Times to RFC 3339 in UTC, as Talon.One writes them: ``2020-06-10T09:05:27.993483Z``."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from t1data.tables.strings import NONE, data_bytes, fixed, nulls, sizes, texts, there
from t1data.tables.tokens import Tokens, flaws_of
from t1data.tables.zones import PER_SECOND, to_utc

_DAY = 86_400
_FIRST, _END = -719_162 * _DAY, 2_932_897 * _DAY  # years 1 to 9999, all that RFC 3339 can write, in seconds from 1970


def time_tokens(array: pa.Array, *, tz: str | None = None, truncate: bool = False) -> Tokens:
    """Write timestamps and dates of any unit and zone.

    Parameters
    ----------
    array : pyarrow.TimestampArray, pyarrow.Date32Array or pyarrow.Date64Array
        Null is no value.
    tz : str, optional
        The zone of times that bear none, and of dates (their midnight). Without it each of them is a flaw.
    truncate : bool
        Cut nanoseconds to microseconds instead of finding a flaw in them.

    Examples
    --------
    >>> time_tokens(pa.array([0, None], pa.date32()), tz="Asia/Tokyo").wrapped().to_pylist()
    ['"1969-12-31T15:00:00Z"', None]
    """
    moments = _as_timestamps(array)
    zone = moments.type.tz or tz
    if zone is None:
        return Tokens(nulls(len(array)), flaws=flaws_of(naive_time=array.is_valid()))
    moments, fine = _to_micros(moments, truncate)
    utc, unclear = (_zoneless(moments), _never(fine)) if moments.type.tz else to_utc(moments, zone)
    flaws = flaws_of(bad_time=_out_of_range(utc), ambiguous_time=unclear, time_too_precise=fine)
    return Tokens(_written(utc), '"', 'Z"', flaws=flaws)


def _as_timestamps(array: pa.Array) -> pa.TimestampArray:
    if pa.types.is_date32(array.type):
        return array.cast(pa.timestamp("s"))
    return array.cast(pa.timestamp("ms")) if pa.types.is_date64(array.type) else array


def _zoneless(array: pa.TimestampArray) -> pa.TimestampArray:
    # Arrow writes a time without a zone eight times as fast as one in UTC.
    return array.view(pa.timestamp(array.type.unit))


def _never(mask: pa.BooleanArray) -> pa.BooleanArray:
    return nulls(len(mask), pa.bool_())


def _to_micros(array: pa.TimestampArray, truncate: bool) -> tuple[pa.TimestampArray, pa.BooleanArray]:
    """Return times no finer than microseconds, and which of them were finer."""
    micros = pa.timestamp("us", array.type.tz)
    try:
        return array.cast(micros) if array.type.unit == "ns" else array, nulls(len(array), pa.bool_())
    except pa.ArrowInvalid:
        cut = pc.floor_temporal(array, unit="microsecond")
        return cut.cast(micros), nulls(len(array), pa.bool_()) if truncate else pc.not_equal(cut, array)


def _out_of_range(array: pa.TimestampArray) -> pa.BooleanArray:
    scale = PER_SECOND[array.type.unit]
    ticks = array.view(pa.int64())
    first, end = _FIRST * scale, _END * scale
    bounds = pc.min_max(ticks)
    if bounds["min"].as_py() is None or (first <= bounds["min"].as_py() and bounds["max"].as_py() < end):
        return nulls(len(array), pa.bool_())
    return pc.or_(pc.less(ticks, first), pc.greater_equal(ticks, end))


def _written(array: pa.TimestampArray) -> pa.StringArray:
    """Write the times, without a fraction where there is none: the same moment is the same text in every slice."""
    try:
        return _text(array.cast(pa.timestamp("s")))
    except pa.ArrowInvalid:  # some have a fraction
        nothing = f".{PER_SECOND[array.type.unit]}".replace("1", "", 1)
        return pc.replace_substring(_text(array), nothing, "") if _are_whole(array).any() else _text(array)


def _are_whole(array: pa.TimestampArray) -> npt.NDArray[np.bool_]:
    ticks = np.frombuffer(array.buffers()[1], np.int64, len(array), array.offset * 8)
    whole: npt.NDArray[np.bool_] = (ticks % PER_SECOND[array.type.unit] == 0) & there(array)
    return whole


def _text(array: pa.TimestampArray) -> pa.StringArray:
    written = array.cast(pa.string())
    data, widest = data_bytes(written), int(sizes(written).max(initial=0))
    if data.size != widest * (len(written) - written.null_count):  # some year has five digits
        return pc.binary_replace_slice(written, 10, 11, "T")
    cells = data.reshape(-1, widest or 1).copy()
    cells[:, 10:11] = ord("T")
    return fixed(cells, there(written))


_DATE = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_SECONDS = r"(:[0-5][0-9](\.[0-9]+)?)?"
_OFFSET = r"(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])"
ZONED = f"^{_DATE}[Tt ]{_CLOCK}{_SECONDS}{_OFFSET}$"
_FRACTION, _TOO_FINE = r"(\.[0-9]{6})[0-9]+", r"\.[0-9]{6}[0-9]*[1-9]"
_NAIVE = f"^{_DATE}([Tt ]{_CLOCK}{_SECONDS})?$"


def time_literals(array: pa.StringArray, *, tz: str | None = None, truncate: bool = False) -> Tokens:
    """Read times written as RFC 3339, or in the common ISO forms, and write them in UTC.

    Parameters
    ----------
    array : pyarrow.StringArray
        ``2020-06-10T09:05:27.993483+02:00``, ``2020-06-10 09:05:27``, ``2020-06-10``; null is no value.
    tz : str, optional
        The zone of cells that name none.
    truncate : bool
        Cut what is finer than microseconds instead of finding a flaw in it.

    Examples
    --------
    >>> time_literals(pa.array(["2026-07-01T12:00+02:00"])).wrapped().to_pylist()
    ['"2026-07-01T10:00:00Z"']
    """
    if (usual := _usual(array)) is not None:
        moments, written = usual
        return Tokens(written, '"', 'Z"', flaws=flaws_of(bad_time=_out_of_range(moments)))
    cells = pc.ascii_upper(array)
    fine = nulls(len(array), pa.bool_()) if truncate else pc.match_substring_regex(cells, _TOO_FINE)
    cells = pc.replace_substring_regex(cells, _FRACTION, r"\1")
    zoned = _parsed(_matching(cells, ZONED), pa.timestamp("us", "UTC"))
    naive = _matching(cells, _NAIVE)
    local, unclear = to_utc(_parsed(naive, pa.timestamp("us")), tz or "UTC")
    utc = pc.coalesce(_zoneless(zoned), local)
    lost = pc.and_(array.is_valid(), utc.is_null())
    bare = local.is_valid() if tz is None else nulls(len(array), pa.bool_())
    flaws = flaws_of(
        bad_time=pc.or_kleene(lost, _out_of_range(utc)),
        naive_time=bare,
        ambiguous_time=unclear,
        time_too_precise=pc.and_(fine, utc.is_valid()),
    )
    return Tokens(_written(utc), '"', 'Z"', flaws=flaws)


_USUAL = {
    len(form): np.frombuffer(form, np.uint8) for form in (b"0000-00-00T00:00:00Z", b"0000-00-00T00:00:00.000000Z")
}


def _usual(array: pa.StringArray) -> tuple[pa.TimestampArray, pa.StringArray] | None:
    """Return the times of a column that a program wrote in UTC, all in one of two usual forms, and as they are sent.

    None for all other columns. These are told by their bytes: the expressions that others are held against take five
    times as long.
    """
    cells = array.drop_null()
    lengths = sizes(cells)
    form = _USUAL.get(int(lengths[0])) if len(lengths) else None
    if form is None or (lengths != len(form)).any():
        return None
    bytes_ = data_bytes(cells).reshape(-1, len(form))
    is_digit = form == ord("0")
    marks = bytes_[:, ~is_digit]
    marks[marks == ord(" ")] = ord("T")
    if (bytes_[:, is_digit] - np.uint8(ord("0")) > 9).any() or (marks != form[~is_digit]).any():
        return None
    try:
        moments = _zoneless(array.cast(pa.timestamp("us", "UTC")))
    except pa.ArrowInvalid:  # no such day or hour
        return None
    return moments, _as_sent(bytes_, array, moments)


def _as_sent(cells: npt.NDArray[np.uint8], array: pa.StringArray, moments: pa.TimestampArray) -> pa.StringArray:
    """Return times of a usual form as they stand, but for a fraction that is none."""
    if cells.shape[1] > len("0000-00-00T00:00:00Z") and _are_whole(moments).any():
        return _written(moments)
    sent = cells[:, :-1].copy()
    sent[:, 10] = ord("T")
    return fixed(sent, there(array))


def _matching(cells: pa.StringArray, pattern: str) -> pa.StringArray:
    return pc.if_else(pc.match_substring_regex(cells, pattern), cells, NONE)


def _parsed(cells: pa.StringArray, to: pa.TimestampType) -> pa.TimestampArray:
    try:
        return cells.cast(to)
    except pa.ArrowInvalid:
        return _real_days(cells).cast(to)


def _real_days(cells: pa.StringArray) -> pa.StringArray:
    """Return the cells with those of a day that no calendar has, such as 30 February, as nulls."""
    days = pc.utf8_slice_codeunits(cells, 0, 10)
    wrong = texts([day for day in days.unique().to_pylist() if day and not _is_day(day)])
    return pc.if_else(pc.is_in(days, value_set=wrong), NONE, cells) if len(wrong) else cells


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
