"""How several audiences overlap: how many customers each two share, and how many are in exactly which."""

# ruff: noqa: S608 - the queries hold names that are made here or quoted, and no value of anybody's

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from t1data.audiences.columns import ID
from t1data.audiences.engine import MEMORY_LIMIT, Engine, open_engine
from t1data.audiences.sides import Input, check_same_ids, load, open_inputs
from t1data.audiences.ways import Ways, Word
from t1data.errors import InputError
from t1data.words import many

if TYPE_CHECKING:
    import pandas as pd

_MOST: Final = 62  # audiences: a bit each of one whole number


@dataclass(frozen=True)
class Overlaps:
    """What `overlaps` has found.

    Attributes
    ----------
    members : int
        Customers in any of the audiences.
    matrix : DataFrame
        Audience by audience: customers that are in both; on the diagonal, the size of each.
    segments : DataFrame
        ``members``, indexed by one truth value for each audience: customers that are in exactly these, the largest
        segment first. Every customer is in one segment.
    left_out : mapping of str to int
        Rows of each audience that have no id that can be read.
    """

    members: int
    matrix: pd.DataFrame = field(repr=False)
    segments: pd.DataFrame = field(repr=False)
    left_out: Mapping[str, int] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the result for machines."""
        names = list(self.matrix.index)
        return {
            "members": self.members,
            "audiences": {name: int(self.matrix.loc[name, name]) for name in names},
            "matrix": {name: {other: int(self.matrix.loc[name, other]) for other in names} for name in names},
            "segments": [
                {"audiences": [name for name, inside in zip(names, key, strict=True) if inside], "members": int(count)}
                for key, count in zip(self.segments.index, self.segments["members"], strict=True)
            ],
            "left_out": dict(self.left_out),
        }

    def lines(self) -> list[str]:
        """Return the result in words, a line for each thing to know."""
        told = self.to_dict()
        said = [f"{many(self.members, 'customer')} in {many(len(self.matrix), 'audience')}"]
        said += [f"{name}: {size:,}" for name, size in told["audiences"].items()]
        said += [f"only in {' and '.join(each['audiences'])}: {each['members']:,}" for each in told["segments"]]
        return said + [
            f"{many(count, 'row')} of {name} without an id" for name, count in self.left_out.items() if count
        ]

    def __repr__(self) -> str:
        return f"<Overlaps {self.lines()[0]}, {many(len(self.segments), 'segment')}>"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        first, *rest = (html.escape(line) for line in self.lines())
        return f"<div><p><b>Overlaps</b> · {first}</p><ul>{''.join(f'<li>{line}</li>' for line in rest)}</ul></div>"


def overlaps(
    audiences: Mapping[str, Any],
    *,
    on: str = ID,
    encoding: Word = None,
    delimiter: Word = None,
    sheet: Word = None,
    memory_limit: str = MEMORY_LIMIT,
    temp_folder: str | Path | None = None,
) -> Overlaps:
    """Count how audiences overlap; nothing is sent.

    Parameters
    ----------
    audiences : mapping of str to path, frame or Arrow stream
        Name → members; two at least, 62 at most. An id that stands in several rows counts once.
    on : str
        The column of the ids.
    encoding, delimiter, sheet : str or mapping of str to str, optional
        How text files and workbooks are read, as for `diff_audiences`; the inputs have the names of the audiences.
    memory_limit, temp_folder :
        As for `diff_audiences`.

    Returns
    -------
    Overlaps
        Frozen: ``members``, ``matrix`` and ``segments``.

    Raises
    ------
    InputError
        An input cannot be read, or ids are text in some and numbers in others.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = lambda *ids: pd.DataFrame({"integration_id": ids})
    >>> found = overlaps({"regulars": frame("1", "2", "3"), "vips": frame("3")})
    >>> found
    <Overlaps 3 customers in 2 audiences, 2 segments>
    >>> int(found.matrix.loc["regulars", "vips"]), int(found.segments.loc[(True, False), "members"])
    (1, 2)
    """
    names = _names(audiences)
    given = open_inputs(audiences, on=on, ways=Ways(encoding, delimiter, sheet))
    check_same_ids(given)
    with open_engine(memory_limit=memory_limit, temp_folder=temp_folder) as engine:
        left_out, counts = _count(engine, given)
    for each in given:
        each.source.check_unchanged()
    return _overlaps(names, counts, dict(zip(names, left_out, strict=True)))


def _names(audiences: Mapping[str, Any]) -> list[str]:
    if not isinstance(audiences, Mapping) or not 2 <= len(audiences) <= _MOST:
        raise InputError(f"audiences: valid is a mapping of name → members, of 2 to {_MOST} audiences")
    if wrong := [name for name in audiences if not isinstance(name, str) or not name.strip()]:
        raise InputError(f"audiences: got the name {wrong[0]!r}, valid is text")
    return list(audiences)


def _count(engine: Engine, given: Sequence[Input]) -> tuple[list[int], dict[int, int]]:
    """Return how many rows of each were left out, and for each combination of audiences, as bits, its customers."""
    sides = [load(engine, each, (), view=f"audience_{place}") for place, each in enumerate(given)]
    rows = " UNION ALL ".join(f"SELECT id, {1 << place} AS bit FROM {side.view}" for place, side in enumerate(sides))
    each = f"SELECT bit_or(bit::BIGINT) AS bits FROM ({rows}) GROUP BY id"
    counts = engine.rows(f"SELECT bits, count(*) FROM ({each}) GROUP BY bits")
    return [side.problems.count for side in sides], {int(bits): int(count) for bits, count in counts}


def _overlaps(names: list[str], counts: Mapping[int, int], left_out: Mapping[str, int]) -> Overlaps:
    import pandas as pd

    places = range(len(names))
    shared = [[sum(n for bits, n in counts.items() if bits >> a & bits >> b & 1) for b in places] for a in places]
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    keys = [tuple(bool(bits >> place & 1) for place in places) for bits, _ in ordered]
    index = pd.MultiIndex.from_arrays(
        [list(column) for column in zip(*keys, strict=True)] or [[]] * len(names), names=names
    )
    return Overlaps(
        members=sum(counts.values()),
        matrix=pd.DataFrame(shared, index=pd.Index(names), columns=pd.Index(names), dtype="int64"),
        segments=pd.DataFrame({"members": [count for _, count in ordered]}, index=index, dtype="int64"),
        left_out=left_out,
    )
