"""Local times to UTC, by the clock of a named zone.

Arrow can do this too, but it knows no summer time after 2037: it reads the changes that a zone's file lists and not
the rule that follows them. The standard library reads both, and is asked once a day that occurs, not once a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from t1data.errors import InputError
from t1data.tables.strings import indices, mask, nulls

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6}
"""Ticks of Arrow's units in a second, but for nanoseconds."""

_DAY = 86_400
_ORDINAL = 719_163  # Python counts days from year 1, Arrow from 1970
_LAST = 3_652_059  # 31 December 9999
_FIXED = re.compile(r"([+-])([01]\d|2[0-3]):?([0-5]\d)")

Seconds = npt.NDArray[np.int64]


@lru_cache(maxsize=64)
def zone(tz: str) -> tzinfo:
    """Return a zone by its name or its fixed offset, or raise `InputError`.

    Examples
    --------
    >>> zone("-03:30").utcoffset(None)
    datetime.timedelta(days=-1, seconds=73800)
    """
    fixed = _FIXED.fullmatch(tz)
    try:
        return _fixed(*fixed.groups()) if fixed else ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(f"tz: got {tz!r}, valid are names such as 'Europe/Berlin' or 'UTC', and '+02:00'") from error


def _fixed(sign: str, hours: str, minutes: str) -> timezone:
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(offset if sign == "+" else -offset)


def to_utc(array: pa.TimestampArray, tz: str) -> tuple[pa.TimestampArray, pa.BooleanArray]:
    """Return local times in UTC, and which of them the zone's clock showed twice or never.

    Parameters
    ----------
    array : pyarrow.TimestampArray
        Times without a zone, no finer than microseconds.
    tz : str
        The zone's name, or an offset such as ``+02:00``.
    """
    if array.null_count == len(array):
        return array, nulls(len(array), pa.bool_())
    ticks, scale = array.view(pa.int64()), PER_SECOND[array.type.unit]
    local = np.frombuffer(array.buffers()[1], np.int64, len(array), array.offset * 8) // scale
    first, second = _offsets(local, tz)
    moments = pc.subtract(ticks, indices(first * scale))
    return moments.view(array.type), pc.and_(array.is_valid(), mask(first != second))


def _offsets(local: Seconds, tz: str) -> tuple[Seconds, Seconds]:
    """Return the clock's distance from UTC for local times; two different ones where the time is not clear."""
    days, at = np.unique(local // _DAY, return_inverse=True)
    daily = [_offset_of_day(tz, day) for day in days.tolist()]
    first = np.array([offset or 0 for offset in daily], np.int64)[at]
    second = first.copy()
    for row in np.flatnonzero(np.array([offset is None for offset in daily], bool)[at]):
        first[row], second[row] = _around(tz, *divmod(int(local[row]), _DAY))
    return first, second


@lru_cache(maxsize=100_000)
def _offset_of_day(tz: str, day: int) -> int | None:
    """Return the distance from UTC all through a local day, or None when it changes on that day."""
    if not 0 < day + _ORDINAL <= _LAST:
        return 0
    found = {offset for second in (0, _DAY // 2, _DAY - 1) for offset in _around(tz, day, second)}
    return found.pop() if len(found) == 1 else None


def _around(tz: str, day: int, second: int) -> Iterator[int]:
    """Yield the distance from UTC the first and the second time that the clock shows a time."""
    moment = datetime.fromordinal(day + _ORDINAL).replace(tzinfo=zone(tz)) + timedelta(seconds=second)
    for fold in (0, 1):
        offset = moment.replace(fold=fold).utcoffset() or timedelta()
        yield offset.days * _DAY + offset.seconds
