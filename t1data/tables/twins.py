"""Ids that differ only in case, Unicode form or invisible characters: sent exactly, but most likely one customer."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from t1data.tables.ids import read_ids
from t1data.tables.labels import BY_NUMBER, Labels
from t1data.tables.records import Source
from t1data.tables.survey import hash_ids
from t1data.words import many

_INVISIBLE = r"[\x{AD}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{FEFF}]"
_SHOWN = 5


@dataclass(frozen=True)
class Twins:
    """Suspected duplicates of a whole source.

    Attributes
    ----------
    groups : int
        How many customers (in all likelihood) stand under several ids.
    examples : tuple of tuples of int
        Row numbers, 0-based, of the first groups.
    labels : Labels
        What the rows are called.
    """

    groups: int
    examples: tuple[tuple[int, ...], ...]
    labels: Labels = field(default=BY_NUMBER, repr=False, compare=False)

    @property
    def message(self) -> str:
        """Say it in a sentence without ids."""
        rows = "; ".join(" and ".join(str(self.labels.of(row)) for row in group[:3]) for group in self.examples)
        return (
            f"{many(self.groups, 'id')} {'differs' if self.groups == 1 else 'differ'} from another one only in case,"
            f" Unicode form or invisible characters (rows {rows}): each is sent as it is, as a customer of its own"
        )


def find_twins(source: Source, id_column: str) -> Twins | None:
    """Look for ids that a person would take for the same; None when there are none.

    Sixteen bytes a row are held while looking, and the source is read once, twice when there are twins.

    Examples
    --------
    >>> from t1data.tables.source import open_source
    >>> find_twins(open_source(pa.table({"id": ["Anna", "bob", "anna"]})), "id").examples
    ((0, 2),)
    """
    folded, exact = array("q"), array("q")
    for part in source.slices([id_column]):
        ids = read_ids(part.batch.column(0)).text.drop_null()
        exact.frombytes(hash_ids(ids).tobytes())
        folded.frombytes(hash_ids(fold(ids)).tobytes())
    suspects = _shared(np.frombuffer(folded, dtype=np.int64), np.frombuffer(exact, dtype=np.int64))
    if not len(suspects):
        return None
    examples = _examples(source, id_column, suspects)
    return Twins(len(suspects), examples, source.labels)


def fold(ids: pa.StringArray) -> pa.StringArray:
    """Return ids without what a person does not see: composed, lower case, no invisible characters."""
    plain = pc.replace_substring_regex(pc.utf8_normalize(ids, form="NFKC"), _INVISIBLE, "")
    return pc.utf8_lower(plain)


def _shared(folded: npt.NDArray[np.int64], exact: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the folded hashes that several different ids share."""
    order = np.lexsort((exact, folded))
    folded, exact = folded[order], exact[order]
    return np.unique(folded[1:][(folded[1:] == folded[:-1]) & (exact[1:] != exact[:-1])])


def _examples(source: Source, id_column: str, suspects: npt.NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    groups: defaultdict[int, list[int]] = defaultdict(list)
    wanted: set[int] = set()
    every = set(suspects.tolist())
    for part in source.slices([id_column]):
        ids = read_ids(part.batch.column(0)).text
        for row, key in zip(part.rows.tolist(), hash_ids(fold(ids)).tolist(), strict=True):
            if key in every and (key in wanted or len(wanted) < _SHOWN):
                wanted.add(key)
                groups[key].append(row)
    return tuple(tuple(rows) for rows in groups.values())
