"""Encoded rows cut into batches, and a refused batch cut into smaller ones. Pure: nothing here is sent or stored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from t1data.errors import JournalError
from t1data.journal.records import BatchRecord, Line, Part, Span, State

Rows = npt.NDArray[np.int64]

POINTERS_AT_MOST = 20  # more named rows than this, and halving needs fewer requests


@dataclass(frozen=True)
class EncodedRows:
    """Some rows of the input, ready to send, and the rows among them that are not.

    Attributes
    ----------
    rows : ndarray of int64
        0-based row numbers, ascending; one for each piece.
    pieces : pyarrow BinaryArray or LargeBinaryArray
        One JSON object a row, each followed by a comma.
    lines : list of Line
        The rows that will not be sent, with the reason.
    stop : int
        The row number after the last row of the input that this covers.
    """

    rows: Rows
    pieces: pa.Array
    lines: list[Line]
    stop: int


@dataclass(frozen=True)
class Batch:
    """Rows that go out in one request.

    `spans` name them in the journal, and `lines` are told to it beforehand. The `number` is 0 until it has one there.
    """

    rows: Rows
    pieces: pa.Array
    spans: tuple[Span, ...]
    lines: list[Line] = field(default_factory=list)
    number: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    def body(self, prefix: bytes, suffix: bytes) -> bytes:
        """Return the request's body: one copy of the pieces' bytes, no object for each row."""
        offsets = _offsets(self.pieces)
        data = memoryview(self.pieces.buffers()[2])
        return b"".join((prefix, data[offsets[0] : offsets[-1] - 1], suffix))

    def as_part(self, state: State = "planned", **said: Any) -> Part:
        """Return what the journal is told of this batch."""
        return Part(self.number, self.spans, len(self), state, **said)

    def part(self, keep: slice | npt.NDArray[np.bool_]) -> Batch:
        """Return the batch of some of these rows."""
        if isinstance(keep, slice):
            start, stop, _ = keep.indices(len(self))
            rows, pieces = self.rows[start:stop], self.pieces.slice(start, stop - start)
            return Batch(rows, pieces, _clip(self.spans, int(rows[0]), int(rows[-1]) + 1))
        return Batch(self.rows[keep], self.pieces.filter(pa.array(keep)), _kept(self.spans, self.rows, keep))


def cut(encoded: Iterable[EncodedRows], *, limit: int, max_bytes: int, start: int = 0) -> Iterator[Batch | list[Line]]:
    """Yield batches of at most `limit` rows and about `max_bytes`, in input order, and lines that precede none of them.

    The spans of the batches join without a gap from `start` on, so that every row of the input stands in one.
    """
    rows: Rows = np.empty(0, dtype=np.int64)
    pieces: pa.Array | None = None
    lines: list[Line] = []
    for chunk in encoded:
        rows = np.concatenate((rows, chunk.rows))
        pieces = chunk.pieces if pieces is None else pa.concat_arrays([pieces, chunk.pieces])
        lines += chunk.lines
        while (count := _fitting(pieces, limit, max_bytes)) < len(rows):
            stop = int(rows[count - 1]) + 1
            mine, lines = _before(lines, stop)
            yield Batch(rows[:count], pieces.slice(0, count), ((start, stop),), mine)
            rows, pieces, start = rows[count:], pieces.slice(count), stop
        if lines and not len(rows):  # an input of bad rows only must not pile up here
            yield lines
            lines = []
    if len(rows):
        assert pieces is not None
        stop = int(rows[-1]) + 1
        mine, lines = _before(lines, stop)
        yield Batch(rows, pieces, ((start, stop),), mine)
    if lines:
        yield lines


def regather(encoded: Iterable[EncodedRows], known: Sequence[BatchRecord]) -> Iterator[Batch]:
    """Yield anew the batches of `known`, by the spans that the journal gives them. Boundaries are never recomputed."""
    waiting = sorted(known, key=lambda record: record.spans[0])
    found: dict[int, list[tuple[Rows, pa.Array]]] = {}
    for chunk in encoded:
        for record in waiting:
            keep = _within(chunk.rows, record.spans)
            if keep.any():
                found.setdefault(record.number, []).append((chunk.rows[keep], chunk.pieces.filter(pa.array(keep))))
        ready = [record for record in waiting if record.spans[-1][1] <= chunk.stop]
        waiting = [record for record in waiting if record.spans[-1][1] > chunk.stop]
        for record in ready:
            parts = found.pop(record.number, [])
            if sum(len(rows) for rows, _ in parts) != record.rows:
                raise JournalError("the input no longer has the rows that this run began with; nothing was sent")
            rows = np.concatenate([rows for rows, _ in parts])
            yield Batch(rows, pa.concat_arrays([p for _, p in parts]), record.spans, number=record.number)
        if not waiting:
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


def halves(batch: Batch) -> list[Batch]:
    """Return the two halves of a batch of at least two rows."""
    middle = len(batch) // 2
    return [batch.part(slice(0, middle)), batch.part(slice(middle, len(batch)))]


def without_named(batch: Batch, problems: Sequence[dict[str, Any]]) -> tuple[list[Batch], Batch] | None:
    """Return each row that the server's pointers name as a batch of its own, and the rest; None if that is no help.

    A pointer is a hint: the named rows are sent once more alone, and only a row refused alone is called refused.
    """
    named = sorted(_named(problems, len(batch)))
    if not named or len(named) > POINTERS_AT_MOST or len(named) == len(batch):
        return None
    keep = np.ones(len(batch), dtype=bool)
    keep[named] = False
    return [batch.part(slice(i, i + 1)) for i in named], batch.part(keep)


def merged(whole: Batch, parts: Sequence[Batch]) -> Batch:
    """Return the rows of several parts of `whole` as one batch."""
    return whole.part(np.isin(whole.rows, np.concatenate([part.rows for part in parts])))


_ITEM = re.compile(r"^/?[^/]+/(\d{1,9})(?:/|$)")


def _named(problems: Sequence[dict[str, Any]], count: int) -> set[int]:
    """Return the places in the batch that the answer's pointers name, ``/customerProfiles/17/...``."""
    found = set()
    for problem in problems:
        source = problem.get("source")
        pointer = source.get("pointer") if isinstance(source, dict) else None
        match = _ITEM.match(pointer) if isinstance(pointer, str) else None
        if match and int(match[1]) < count:
            found.add(int(match[1]))
    return found


def _offsets(pieces: pa.Array) -> npt.NDArray[np.int64]:
    kind = np.int64 if pa.types.is_large_binary(pieces.type) or pa.types.is_large_string(pieces.type) else np.int32
    every = np.frombuffer(pieces.buffers()[1], dtype=kind)
    return every[pieces.offset : pieces.offset + len(pieces) + 1].astype(np.int64)


def _fitting(pieces: pa.Array, limit: int, max_bytes: int) -> int:
    """Return how many of the first pieces fit into one batch; at least one."""
    if not len(pieces):
        return 0
    offsets = _offsets(pieces.slice(0, limit))
    fits = int(np.searchsorted(offsets, offsets[0] + max_bytes, side="right")) - 1
    return max(1, min(limit, len(pieces), fits))


def _before(lines: list[Line], stop: int) -> tuple[list[Line], list[Line]]:
    if not lines:
        return [], []
    return [line for line in lines if line.row < stop], [line for line in lines if line.row >= stop]


def _within(rows: Rows, spans: Iterable[Span]) -> npt.NDArray[np.bool_]:
    keep = np.zeros(len(rows), dtype=bool)
    for start, stop in spans:
        keep[np.searchsorted(rows, start) : np.searchsorted(rows, stop)] = True
    return keep


def _split_chunk(chunk: EncodedRows, row: int) -> tuple[EncodedRows, EncodedRows]:
    place = int(np.searchsorted(chunk.rows, row))
    low, high = _before(chunk.lines, row)
    return (
        EncodedRows(chunk.rows[:place], chunk.pieces.slice(0, place), low, row),
        EncodedRows(chunk.rows[place:], chunk.pieces.slice(place), high, chunk.stop),
    )


def _clip(spans: Iterable[Span], start: int, stop: int) -> tuple[Span, ...]:
    return tuple((max(a, start), min(b, stop)) for a, b in spans if max(a, start) < min(b, stop))


def _kept(spans: Iterable[Span], rows: Rows, keep: npt.NDArray[np.bool_]) -> tuple[Span, ...]:
    """Return the spans of the kept rows, from the first to the last of each stretch.

    Rows that are not sent can stand between two stretches. They go with neither: two parts of a batch that both held
    them would overlap, and the outcome of a row is looked up by the one span that holds it.
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([False], keep, [False]))))
    pairs = zip(edges[::2], edges[1::2], strict=True)
    stretches = [(int(rows[first]), int(rows[stop - 1]) + 1) for first, stop in pairs]
    return tuple(span for start, stop in stretches for span in _clip(spans, start, stop))
