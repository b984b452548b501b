"""Rows with one and the same id: equal ones collapse, others are resolved by a declared policy, never by chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Literal, get_args

from t1data.errors import InputError
from t1data.tables.encode import Encoder
from t1data.tables.ids import read_ids
from t1data.tables.labels import position
from t1data.tables.layout import Layout
from t1data.tables.records import Slice, Source
from t1data.tables.strings import mask
from t1data.tables.survey import Hashes, are_among

Policy = Literal["reject", "first", "last"]

_Twin = tuple[int, bytes]  # row number, digest of what would be sent


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A row that is not sent because another row has its id.

    Attributes
    ----------
    row : int
        0-based.
    other : int
        The row with the same id: the one that is sent in its place, or the first that contradicts it.
    same : bool
        Both say the same, so that the other's outcome is this row's too.
    """

    row: int
    other: int
    same: bool

    @property
    def message(self) -> str:
        """Say which row has the same id, by its position."""
        says = "the same values" if self.same else "other values"
        return f"row {position(self.other)} has the same integration_id and {says}"


def check_policy(policy: str) -> None:
    """Raise `InputError` for a policy that does not exist."""
    if policy not in get_args(Policy):
        raise InputError(f"duplicates: got {policy!r}, valid are {', '.join(map(repr, get_args(Policy)))}")


def find_duplicates(source: Source, layout: Layout, *, repeated: Hashes, policy: Policy) -> dict[int, Duplicate]:
    """Return the rows that are not sent, by number. Rows that cannot be sent anyway take no part.

    Parameters
    ----------
    source : Source
        Read once more, if any id stands twice.
    layout : Layout
        Two rows say the same when they are sent as the same bytes under it.
    repeated : ndarray of int64
        From `survey`.
    policy : {"reject", "first", "last"}
        Which of several rows that contradict each other is sent: none, the first or the last.
    """
    if not len(repeated):
        return {}
    encoder = Encoder(layout)
    twins: defaultdict[str, list[_Twin]] = defaultdict(list)
    for part in _only(source, layout, repeated):
        encoded = encoder.encode(part)
        for row, id_, piece in zip(encoded.rows.tolist(), encoded.ids.to_pylist(), encoded.pieces, strict=True):
            twins[id_].append((row, blake2b(piece.as_buffer(), digest_size=16).digest()))
    found = (duplicate for rows in twins.values() if len(rows) > 1 for duplicate in resolve(rows, policy))
    return {duplicate.row: duplicate for duplicate in found}


def resolve(twins: list[_Twin], policy: Policy) -> Iterator[Duplicate]:
    """Yield those of several rows with one id that are not sent.

    Examples
    --------
    >>> list(resolve([(3, b"x"), (9, b"x")], "reject"))
    [Duplicate(row=9, other=3, same=True)]
    """
    kept, said = twins[-1] if policy == "last" else twins[0]
    if policy == "reject" and any(digest != said for _, digest in twins):
        odd = next(row for row, digest in twins if digest != said)
        for row, digest in twins:
            yield Duplicate(row, odd if digest == said else kept, same=False)
        return
    for row, digest in twins:
        if row != kept:
            yield Duplicate(row, kept, same=digest == said)


def _only(source: Source, layout: Layout, repeated: Hashes) -> Iterator[Slice]:
    """Yield only the rows whose id stands twice."""
    for part in source.slices(layout.source_columns):
        ids = read_ids(part.batch.column(layout.id_column)).text
        keep = are_among(ids, repeated)
        if keep.any():
            yield replace(part, batch=part.batch.filter(mask(keep)), rows=part.rows[keep])
