"""Encoded rows, batches of them, and a refused batch cut into smaller ones. Pure: nothing here is sent or stored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from t1data.journal.records import Line, Part, Span, State
from t1data.tables.strings import indices, mask, offsets_of

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
        One JSON value a row, each followed by a comma.
    lines : list of Line
        The rows that will not be sent, with the reason.
    stop : int
        The row number after the last row of the input that this covers.
    keys : pyarrow StringArray, optional
        What a request says once for all its rows, such as a value of its path: only rows of one key share a request,
        and a row whose key is null has one of its own.
    lanes : pyarrow StringArray, optional
        Whose rows they are: those of one lane are sent one after the other, in order.
    """

    rows: Rows
    pieces: pa.Array
    lines: list[Line]
    stop: int
    keys: pa.Array | None = None
    lanes: pa.Array | None = None

    def part(self, keep: slice | npt.NDArray[np.bool_]) -> EncodedRows:
        """Return some of the rows, without the lines."""

        def kept(array: pa.Array) -> pa.Array:
            return array[keep] if isinstance(keep, slice) else array.filter(mask(keep))

        keys, lanes = (None if array is None else kept(array) for array in (self.keys, self.lanes))
        return EncodedRows(self.rows[keep], kept(self.pieces), [], self.stop, keys, lanes)

    def taken(self, at: Rows) -> EncodedRows:
        """Return the rows at some places, in their order, without the lines."""
        places = indices(at)
        keys, lanes = (None if array is None else array.take(places) for array in (self.keys, self.lanes))
        return EncodedRows(self.rows[at], self.pieces.take(places), [], self.stop, keys, lanes)


@dataclass(frozen=True)
class Batch:
    """Rows that go out in one request.

    `spans` name them in the journal, and `lines` are told to it beforehand. The `number` is 0 until it has one there.
    `key` and `lane` are those of its rows.
    """

    rows: Rows
    pieces: pa.Array
    spans: tuple[Span, ...]
    lines: list[Line] = field(default_factory=list)
    number: int = 0
    key: str | None = None
    lane: str | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def body(self, prefix: bytes = b"", suffix: bytes = b"") -> bytes:
        """Return the request's body: one copy of the pieces' bytes, no object for each row."""
        offsets = offsets_of(self.pieces)
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
            spans = _clip(self.spans, int(rows[0]), int(rows[-1]) + 1)
        else:
            rows, pieces = self.rows[keep], self.pieces.filter(mask(keep))
            spans = _kept(self.spans, self.rows, keep)
        return replace(self, rows=rows, pieces=pieces, spans=spans, lines=[], number=0)


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
