"""From anything with a column of coupons and one of customers to rows that are ready to send."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from t1data.bulk.batches import EncodedRows
from t1data.bulk.intake import input_of, lines_of
from t1data.errors import InputError
from t1data.journal.outcomes import Input
from t1data.journal.records import Line
from t1data.tables.choices import choose_id, require_known
from t1data.tables.ids import IdScan, check_id_field, read_ids
from t1data.tables.problems import Problem
from t1data.tables.reading import AS_FOUND, Reading
from t1data.tables.records import Slice, Source
from t1data.tables.report import Fault, list_problems
from t1data.tables.strings import EMPTY, escape, text, texts
from t1data.tables.tokens import Flaw, flaws_of

COUPON, ID = "coupon", "integration_id"

_QUOTE, _END = text('"'), text('",')
_DOTS = texts([".", ".."])

Mask = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """An input of coupons and customers that has been looked over once; `parts` reads it again.

    Attributes
    ----------
    source : Source
        Where they come from.
    coupon, id : str
        The columns.
    rows, blank_lines : int
        Rows, and empty lines of a text file, which are none.
    repeated : ndarray of int64
        Sorted hashes of the pairs that (in all likelihood) stand in more than one row.
    suspicions : tuple of str
        Signs that a program changed ids or codes; they are sent as they are.
    """

    source: Source
    coupon: str
    id: str
    rows: int
    blank_lines: int
    repeated: Hashes
    suspicions: tuple[str, ...] = ()

    def parts(self) -> Iterator[tuple[EncodedRows, list[Problem]]]:
        """Yield the whole input in order: customers with their coupon as key, and what keeps others from being sent."""
        first: dict[tuple[str, str], int] = {}
        for part in self.source.slices([self.coupon, self.id]):
            yield self._encoded(part, first)

    def _encoded(self, part: Slice, first: dict[tuple[str, str], int]) -> tuple[EncodedRows, list[Problem]]:
        codes, ids = (read_ids(part.batch.column(at)) for at in (0, 1))
        faults: list[Fault] = [(self.coupon, flaw) for flaw in (*map(_of_code, codes.flaws), *_dots(codes.text))]
        faults += [(self.id, flaw) for flaw in ids.flaws]
        found = list_problems(part, faults, ids=ids.text, codes=self.coupon)
        problems = sorted([*part.problems, *found], key=lambda problem: problem.row)
        clean = np.ones(len(part.rows), dtype=bool)
        for _, flaw in faults:
            clean[flaw.at] = False
        same = self._repeats(part.rows, codes.text, ids.text, clean, first)
        clean[np.isin(part.rows, [line.row for line in same])] = False
        kept = pa.array(clean)
        pieces = pc.binary_join_element_wise(_QUOTE, escape(ids.text.filter(kept)), _END, EMPTY).cast(pa.binary())
        lines = sorted([*lines_of(problems), *same], key=lambda line: line.row)
        return EncodedRows(part.rows[clean], pieces, lines, part.next_row, codes.text.filter(kept)), problems

    def _repeats(
        self,
        rows: npt.NDArray[np.int64],
        codes: pa.StringArray,
        ids: pa.StringArray,
        clean: Mask,
        first: dict[tuple[str, str], int],
    ) -> list[Line]:
        """Return a line for each row whose pair stands in an earlier row too."""
        if not len(self.repeated):
            return []
        lines = []
        for at in np.flatnonzero(clean & np.isin(_hashes(codes, ids), self.repeated)).tolist():
            row = int(rows[at])
            if (stands_for := first.setdefault((codes[at].as_py(), ids[at].as_py()), row)) != row:
                lines.append(Line(row, "same_row", same_as=stands_for))
        return lines

    def facts(self) -> dict[str, Any]:
        """Return what a resume must find unchanged."""
        return {"input": self.source.fingerprint(), "layout": {"coupon": self.coupon, "id": self.id}}

    def input(self) -> Input:
        """Return the input for people who look at outcomes."""
        return input_of(self.source, self.id)


def pair_rows(
    data: Any,
    *,
    coupon: str = COUPON,
    id: str = ID,
    allow_suspect_ids: bool = False,
    reading: Reading = AS_FOUND,
) -> Pairs:
    """Open and look over an input of coupons and customers; nothing is sent.

    Raises
    ------
    InputError
        There are no rows, no such columns, or ids or codes look damaged.
    """
    source = reading.open(data)
    require_known("coupon: there is no such column", [coupon], valid=source.schema.names)
    column = choose_id(source.schema.names, id)
    if column == coupon:
        raise InputError(
            f"coupon, id: both are column {coupon!r}; name a column for the codes and one for the customers"
        )
    check_id_field(source.schema.field(column))
    _check_code_field(source.schema.field(coupon))
    scans, hashes = {name: IdScan(labels=source.labels) for name in (coupon, column)}, array("q")
    rows = blank_lines = 0
    for part in source.slices([coupon, column]):
        codes, ids = (read_ids(part.batch.column(at)).text for at in (0, 1))
        scans[coupon].see(codes, part.rows)
        scans[column].see(ids, part.rows)
        hashes.frombytes(_hashes(codes, ids).tobytes())
        rows, blank_lines = part.next_row, blank_lines + part.blank_lines
    if not rows:
        raise InputError(f"{source.name} has no rows")
    suspects = [(name, suspect) for name, scan in scans.items() for suspect in scan.suspects()]
    blocking = "; ".join(f"{name}: {suspect.message}" for name, suspect in suspects if suspect.blocks)
    if blocking and not allow_suspect_ids:
        raise InputError(f"{blocking}. Take them from their source again, or say allow_suspect_ids=True to send them")
    told = tuple(f"{name}: {suspect.message}" for name, suspect in suspects)
    return Pairs(source, coupon, column, rows, blank_lines, _repeated(hashes), told)


def _check_code_field(field: pa.Field) -> None:
    try:
        check_id_field(field)
    except InputError as error:
        raise InputError(
            f"coupon: column {field.name!r} ({field.type}) holds no codes as they were made: valid are text and whole"
            " numbers. Read the column as text where it comes from (dtype=str)"
        ) from error


def _of_code(flaw: Flaw) -> Flaw:
    return replace(flaw, code="missing_code") if flaw.code == "missing_id" else flaw


def _dots(codes: pa.StringArray) -> tuple[Flaw, ...]:
    return flaws_of(id_not_in_url=pc.is_in(codes, value_set=_DOTS))


def _hashes(codes: pa.StringArray, ids: pa.StringArray) -> Hashes:
    """Return a hash for each pair. It differs from process to process, so that no file can be made to collide."""
    pairs = zip(codes.to_pylist(), ids.to_pylist(), strict=True)
    return np.fromiter(map(hash, pairs), dtype=np.int64, count=len(codes))


def _repeated(hashes: array[int]) -> Hashes:
    found = np.frombuffer(hashes, dtype=np.int64)
    found.sort()  # in place: a second copy would double what a large source costs
    return np.unique(found[1:][found[1:] == found[:-1]])
