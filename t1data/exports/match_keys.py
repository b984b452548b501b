"""One column of customers' data held against a platform's rule: what the file gets, and what became of each cell."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from t1data.errors import InputError
from t1data.exports.phones import to_e164
from t1data.exports.rules import Rule
from t1data.exports.steps import trim
from t1data.tables.choices import listing, require_known
from t1data.tables.strings import EMPTY, NONE, nulls, positions, text

HASH_OF_NOTHING = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class Match:
    """A column of the source and the column of the file that it goes to."""

    rule: Rule
    column: str


def choose_columns(
    names: Sequence[str], rules: Sequence[Rule], columns: Mapping[str, str] | None, *, where: str
) -> list[Match]:
    """Return which columns go to which keys, in the platform's order.

    Parameters
    ----------
    names : sequence of str
        The source's columns.
    rules : sequence of Rule
        The platform's.
    columns : mapping of str to str, optional
        Column → key; by default the columns whose names say what they are.
    where : str
        The source, for messages.

    Raises
    ------
    InputError
        No column fits, a column or key is not known, or more columns go to one key than the platform takes.
    """
    keys = [rule.key for rule in rules]
    if columns is None:
        columns = dict(_recognised(names, rules))
        if not columns:
            raise InputError(
                f"no column of {where} is named like one of {listing(keys)}; say which is which:"
                f' columns={{"my column": "{keys[0]}"}}. It has {listing(names)}'
            )
    require_known("columns", columns, valid=names)
    require_known("columns", columns.values(), valid=keys)
    matches = [Match(rule, name) for rule in rules for name, key in columns.items() if key == rule.key]
    for rule in rules:
        chosen = [match.column for match in matches if match.rule is rule]
        if len(chosen) > rule.most:
            raise InputError(
                f"columns: {listing(chosen)} would all be {rule.key!r}, of which the platform takes {rule.most};"
                f' name those that are meant: columns={{"{chosen[0]}": "{rule.key}"}}'
            )
    return matches


def _recognised(names: Sequence[str], rules: Sequence[Rule]) -> Iterator[tuple[str, str]]:
    for name in names:
        plain = "".join(filter(str.isalnum, name.removeprefix("attributes.").lower()))
        for rule in rules:
            if plain.rstrip("0123456789") in rule.aliases:
                yield name, rule.key


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of the cells of one column.

    Attributes
    ----------
    written : pyarrow.StringArray
        What the file gets, null where nothing.
    counts : Counter of str
        Cells that are ``empty, valid, repaired, dropped, already_hashed``; each is one of them.
    faults : dict of str to ndarray of int64
        Code → positions of the cells that were dropped for it.
    """

    written: pa.StringArray
    counts: Counter[str]
    faults: dict[str, npt.NDArray[np.int64]]


def judge(rule: Rule, cells: pa.StringArray, *, regions: pa.StringArray | None = None) -> Judged:
    """Bring the cells of a column to the form that a platform wants.

    Parameters
    ----------
    rule : Rule
        What the platform wants.
    cells : pyarrow.StringArray
        As the customers' data has them.
    regions : pyarrow.StringArray, optional
        For phone numbers: the country of each row.

    Examples
    --------
    >>> from t1data.exports.rules import rules_of
    >>> judged = judge(rules_of("google_customer_match")[4], pa.array([" de ", "Narnia", None]))
    >>> judged.written.to_pylist(), judged.faults["not_a_country"].tolist()
    (['DE', None, None], [1])
    """
    trimmed = trim(cells)
    given = pc.fill_null(pc.not_equal(trimmed, EMPTY), False)
    digests = pc.if_else(_is_digest(rule, trimmed), pc.ascii_lower(trimmed), NONE)
    nothing = pc.fill_null(pc.equal(digests, text(HASH_OF_NOTHING)), False)
    plain, unclear = pc.if_else(pc.and_(given, digests.is_null()), cells, NONE), None
    if rule.is_phone:
        regions = regions if regions is not None else nulls(len(cells))
        plain, unclear = to_e164(plain, regions)
    normal = normalise(rule, plain)
    written = pc.coalesce(_hashes(normal) if rule.hashed else normal, pc.if_else(nothing, NONE, digests))
    dropped = pc.and_(given, written.is_null())
    counts = _counts(given, dropped, as_it_was=pc.equal(normal, cells), hashed=pc.and_not(digests.is_valid(), nothing))
    special = {
        "hash_of_nothing": nothing,
        "ambiguous_number": unclear,
        "no_country_code": _no_country(trimmed, regions),
    }
    return Judged(written, counts, _faults(rule, dropped, special))


def normalise(rule: Rule, cells: pa.StringArray) -> pa.StringArray:
    """Return the cells in the form that is written or hashed, null where there is none."""
    for step in rule.steps:
        cells = step(cells)
    return pc.if_else(pc.match_substring_regex(cells, f"^(?:{rule.form})$"), cells, NONE)


def _is_digest(rule: Rule, cells: pa.StringArray) -> pa.BooleanArray:
    return pc.match_substring_regex(cells, "^[0-9A-Fa-f]{64}$" if rule.hashed else "^$never")


def _hashes(cells: pa.StringArray) -> pa.StringArray:
    sha256 = hashlib.sha256
    digests = [None if cell is None else sha256(cell.encode()).hexdigest() for cell in cells.to_pylist()]
    return pa.array(digests, pa.string())


def _counts(
    given: pa.BooleanArray, dropped: pa.BooleanArray, *, as_it_was: pa.BooleanArray, hashed: pa.BooleanArray
) -> Counter[str]:
    usable = given.true_count - dropped.true_count - hashed.true_count
    return Counter(
        empty=len(given) - given.true_count,
        valid=as_it_was.true_count,
        repaired=usable - as_it_was.true_count,
        dropped=dropped.true_count,
        already_hashed=hashed.true_count,
    )


def _no_country(numbers: pa.StringArray, regions: pa.StringArray | None) -> pa.BooleanArray | None:
    if regions is None:
        return None
    return pc.and_not(regions.is_null(), pc.match_substring_regex(numbers, "^[+\uff0b]"))


def _faults(
    rule: Rule, dropped: pa.BooleanArray, special: Mapping[str, pa.BooleanArray | None]
) -> dict[str, npt.NDArray[np.int64]]:
    """Give each dropped cell one reason: a special one, or else that of the rule."""
    found = {}
    for code, cells in special.items():
        if cells is not None:
            found[code] = positions(pc.and_(dropped, cells))
            dropped = pc.and_not(dropped, cells)
    found[rule.fault] = positions(dropped)
    return {code: at for code, at in found.items() if len(at)}
