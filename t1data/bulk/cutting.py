"""Encoded rows cut into batches: for a new run by the limits, for a resumed one as its journal says. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import repeat

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from t1data.bulk.batches import Batch, EncodedRows, Rows
from t1data.errors import JournalError
from t1data.journal.records import BatchRecord, Line, Span
from t1data.tables.strings import numbers_of, offsets_of, there


def cut(encoded: Iterable[EncodedRows], *, limit: int, max_bytes: int, start: int = 0) -> Iterator[Batch | list[Line]]:
    """Yield batches of at most `limit` rows and about `max_bytes`, in input order, and lines that precede none of them.

    The spans of the batches join without a gap from `start` on, so that every row of the input stands in one. Rows
    with keys need a `limit` of 1 here; see `gather`.
    """
    if limit == 1:
        yield from _one_by_one(encoded, start)
        return
    waiting: EncodedRows | None = None
    lines: list[Line] = []
    for chunk in encoded:
        waiting = chunk if waiting is None else _joined([waiting, chunk])
        lines += chunk.lines
        while (count := _fitting(waiting.pieces, limit, max_bytes)) < len(waiting.rows):
            stop = int(waiting.rows[count - 1]) + 1
            mine, lines = _before(lines, stop)
            yield _batch(waiting.part(slice(0, count)), ((start, stop),), mine)
            waiting, start = waiting.part(slice(count, None)), stop
        if lines and not len(waiting.rows):  # an input of bad rows only must not pile up here
            yield lines
            lines = []
    if waiting is not None and len(waiting.rows):
        stop = int(waiting.rows[-1]) + 1
        mine, lines = _before(lines, stop)
        yield _batch(waiting, ((start, stop),), mine)
    if lines:
        yield lines


def _one_by_one(encoded: Iterable[EncodedRows], start: int) -> Iterator[Batch | list[Line]]:
    """Cut each row by itself, without cutting all that follow it anew: 3 µs a row instead of 40."""
    lines: list[Line] = []
    for chunk in encoded:
        lines += chunk.lines
        keys, lanes = (repeat(None) if column is None else column.to_pylist() for column in (chunk.keys, chunk.lanes))
        for at, (row, key, lane) in enumerate(zip(chunk.rows.tolist(), keys, lanes, strict=False)):
            mine, lines = _before(lines, row + 1)
            one = slice(at, at + 1)
            yield Batch(chunk.rows[one], chunk.pieces[one], ((start, row + 1),), mine, key=key, lane=lane)
            start = row + 1
        if lines and not len(chunk.rows):  # an input of bad rows only must not pile up here
            yield lines
            lines = []
    if lines:
        yield lines


def gather(encoded: Iterable[EncodedRows], *, limit: int, max_bytes: int) -> Iterator[Batch | list[Line]]:
    """Yield batches of rows that share a key, as few as the limits allow; lines as they come.

    Holds the rows of each key until a batch is full; a row without a key goes alone, at once. A batch's spans name
    just its rows.
    """
    waiting: dict[str, list[EncodedRows]] = {}
    for chunk in encoded:
        if chunk.lines:
            yield chunk.lines
        yield from map(_exact, _alone(chunk))
        for key, rows in _by_key(chunk):
            parts = waiting.setdefault(key, [])
            parts.append(rows)
            if sum(len(part.rows) for part in parts) >= limit:
                *full, rest = _portions(_joined(parts), limit, max_bytes)
                yield from map(_exact, full)
                waiting[key] = [rest]
    for parts in waiting.values():
        yield from map(_exact, _portions(_joined(parts), limit, max_bytes))


def without_rows(encoded: Iterable[EncodedRows], spans: npt.NDArray[np.int64]) -> Iterator[EncodedRows]:
    """Yield the rows that stand in none of some spans, an (n, 2) array of which no two overlap."""
    starts, stops = np.sort(spans[:, 0]), np.sort(spans[:, 1])
    for chunk in encoded:
        inside = np.searchsorted(starts, chunk.rows, side="right") > np.searchsorted(stops, chunk.rows, side="right")
        yield replace(chunk.part(~inside), lines=chunk.lines)


def regather(encoded: Iterable[EncodedRows], known: Sequence[BatchRecord]) -> Iterator[Batch]:
    """Yield anew the batches of `known`, by the spans that the journal gives them. Boundaries are never recomputed."""
    coming = sorted(known, key=lambda record: record.spans[0], reverse=True)
    begun: list[BatchRecord] = []
    found: dict[int, list[EncodedRows]] = {}
    for chunk in encoded:
        while coming and coming[-1].spans[0][0] < chunk.stop:
            begun.append(coming.pop())
        for record in begun:
            keep = _within(chunk.rows, record.spans)
            if keep.any():
                found.setdefault(record.number, []).append(chunk.part(keep))
        for record in begun:
            if record.spans[-1][1] <= chunk.stop:
                yield _again(record, found.pop(record.number, []))
        begun = [record for record in begun if record.spans[-1][1] > chunk.stop]
        if not coming and not begun:
            return


def split_at(encoded: Iterable[EncodedRows], row: int) -> tuple[Iterator[EncodedRows], Iterator[EncodedRows]]:
    """Return the rows before `row` and those from it on; the first must be read to its end before the second."""
    source = iter(encoded)
    rest: list[EncodedRows] = []

    def before() -> Iterator[EncodedRows]:
        for chunk in source:
            if chunk.stop <= row:
                yield chunk
                continue
            low, high = _split_chunk(chunk, row)
            rest.append(high)
            yield low
            return

    def after() -> Iterator[EncodedRows]:
        yield from rest
        yield from source

    return before(), after()


def up_to(encoded: Iterable[EncodedRows], most: int) -> Iterator[EncodedRows]:
    """Yield the first `most` rows that can be sent, with the lines before them, and nothing of what comes after."""
    for chunk in encoded:
        if len(chunk.rows) < most:
            yield chunk
            most -= len(chunk.rows)
            continue
        stop = int(chunk.rows[most - 1]) + 1
        lines, _ = _before(chunk.lines, stop)
        yield replace(chunk.part(slice(0, most)), lines=lines, stop=stop)
        return


def _fitting(pieces: pa.Array, limit: int, max_bytes: int) -> int:
    """Return how many of the first pieces fit into one batch; at least one."""
    if not len(pieces):
        return 0
    offsets = offsets_of(pieces.slice(0, limit))
    fits = int(np.searchsorted(offsets, int(offsets[0]) + max_bytes, side="right")) - 1
    return max(1, min(limit, len(pieces), fits))


def _portions(rows: EncodedRows, limit: int, max_bytes: int) -> Iterator[EncodedRows]:
    while (count := _fitting(rows.pieces, limit, max_bytes)) < len(rows.rows):
        yield rows.part(slice(0, count))
        rows = rows.part(slice(count, None))
    yield rows


def _alone(chunk: EncodedRows) -> Iterator[EncodedRows]:
    """Yield each row without a key by itself."""
    assert chunk.keys is not None
    for at in np.flatnonzero(~there(chunk.keys)):
        yield chunk.part(slice(int(at), int(at) + 1))


def _by_key(chunk: EncodedRows) -> Iterator[tuple[str, EncodedRows]]:
    """Yield the rows of each key, the keys in the order of their first row."""
    assert chunk.keys is not None
    kept = chunk.part(there(chunk.keys)) if chunk.keys.null_count else chunk
    assert kept.keys is not None
    codes = kept.keys.dictionary_encode()
    at = numbers_of(codes.indices)
    order = np.argsort(at, kind="stable")
    ends = np.cumsum(np.bincount(at, minlength=len(codes.dictionary)))
    rows = kept.taken(order)  # one copy, and a view of it for each key: there can be as many keys as rows
    for start, stop, key in zip([0, *ends], ends, codes.dictionary.to_pylist(), strict=False):
        yield key, rows.part(slice(int(start), int(stop)))


def _joined(parts: Sequence[EncodedRows]) -> EncodedRows:
    first = parts[0]
    if len(parts) == 1:
        return first
    return replace(
        first,
        rows=np.concatenate([part.rows for part in parts]),
        pieces=pa.concat_arrays([part.pieces for part in parts]),
        stop=parts[-1].stop,
        keys=None if first.keys is None else pa.concat_arrays([part.keys for part in parts]),
        lanes=None if first.lanes is None else pa.concat_arrays([part.lanes for part in parts]),
    )


def _again(record: BatchRecord, parts: Sequence[EncodedRows]) -> Batch:
    if sum(len(part.rows) for part in parts) != record.rows:
        raise JournalError("the input no longer has the rows that this run began with; nothing was sent")
    return replace(_batch(_joined(parts), record.spans), number=record.number)


def _batch(rows: EncodedRows, spans: tuple[Span, ...], lines: list[Line] | None = None) -> Batch:
    key = None if rows.keys is None else rows.keys[0].as_py()
    lane = None if rows.lanes is None else rows.lanes[0].as_py()
    return Batch(rows.rows, rows.pieces, spans, lines or [], key=key, lane=lane)


def _exact(rows: EncodedRows) -> Batch:
    edges = np.flatnonzero(np.diff(rows.rows) != 1) + 1
    runs = np.split(rows.rows, edges)
    return _batch(rows, tuple((int(run[0]), int(run[-1]) + 1) for run in runs))


def _before(lines: list[Line], stop: int) -> tuple[list[Line], list[Line]]:
    place = bisect_left(lines, stop, key=lambda line: line.row)
    return lines[:place], lines[place:]


def _within(rows: Rows, spans: Iterable[Span]) -> npt.NDArray[np.bool_]:
    keep = np.zeros(len(rows), dtype=bool)
    for start, stop in spans:
        keep[np.searchsorted(rows, start) : np.searchsorted(rows, stop)] = True
    return keep


def _split_chunk(chunk: EncodedRows, row: int) -> tuple[EncodedRows, EncodedRows]:
    place = int(np.searchsorted(chunk.rows, row))
    low, high = _before(chunk.lines, row)
    return (
        replace(chunk.part(slice(0, place)), lines=low, stop=row),
        replace(chunk.part(slice(place, None)), lines=high),
    )
