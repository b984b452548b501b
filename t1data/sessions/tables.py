"""An input that has been looked over once: where its rows come from, which columns are ids, how a row becomes JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from t1data.bulk.intake import input_of
from t1data.errors import InputError
from t1data.journal.outcomes import Input
from t1data.tables.choices import require_known
from t1data.tables.ids import check_id_field
from t1data.tables.objects import Form
from t1data.tables.portions import cut_slice
from t1data.tables.records import Slice, Source
from t1data.tables.shapes import Columns, Shape, choose_columns, resolve_form
from t1data.tables.source import open_source
from t1data.tables.survey import Survey, survey
from t1data.tables.values import Reading
from t1data.tables.zones import zone

BLOCK = 256  # rows that are encoded at once: with their carts, of up to 4 MB each, they stay below the 2 GB of Arrow

Catalogue = Mapping[str, str] | None


@dataclass(frozen=True)
class Wanted:
    """What the caller says about one input.

    Attributes
    ----------
    source : Source
        The input, open.
    ids : tuple of str
        The columns that hold ids.
    columns, constants
        See `t1data.tables.shapes.choose_columns` and `resolve_form`.
    """

    source: Source
    ids: tuple[str, ...]
    columns: Columns = None
    constants: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Ways:
    """How cells and files are read; the keywords that all inputs of a job share."""

    types: Mapping[str, str] | None = None
    tz: str | None = None
    decimal: str = "."
    encoding: str | None = None
    delimiter: str | None = None
    truncate_times: bool = False
    allow_suspect_ids: bool = False
    sheet: str | None = None
    ids_from_floats: bool = False


@dataclass(frozen=True)
class Table:
    """An input with rows, its form known."""

    source: Source
    ids: tuple[str, ...]
    form: Form
    survey: Survey

    def slices(self) -> Iterator[Slice]:
        """Read all rows from the beginning, as many at a time as the readers give."""
        names = dict.fromkeys([*self.ids, *(column.name for column in self.form.columns)])
        return self.source.slices(tuple(names))

    def blocks(self) -> Iterator[Slice]:
        """Read all rows from the beginning, so few at a time that each can have a large cart."""
        for part in self.slices():
            yield from in_blocks(part)


def open_input(data: Any, ways: Ways) -> Source:
    """Open an input. A stream can be opened only once."""
    return open_source(data, encoding=ways.encoding, delimiter=ways.delimiter, sheet=ways.sheet)


def read_again(source: Source, profile: str | None) -> Input:
    """Return an input as a run reads it again; without a column of customers its outcomes name none."""
    if profile is None:
        return replace(input_of(source, source.schema.names[0]), ids=lambda: iter(()))
    return input_of(source, profile)


def reopened(sources: Callable[[], Sequence[Source | None]], facts: Mapping[str, Any]) -> Input | None:
    """Return the first of the inputs of a run, or None when one of them is no longer there unchanged.

    Parameters
    ----------
    sources : callable
        Opens them; None for an input that the run did not have.
    facts : mapping
        Of the run.
    """
    try:
        opened = sources()
        if opened[0] is None or fingerprint(*opened)["sha256"] != facts["input"]["sha256"]:
            return None
    except InputError:
        return None
    second = opened[1].index if len(opened) > 1 and opened[1] is not None else None
    return replace(read_again(opened[0], facts["layout"]["ids"]["profile"]), second=second)


def fingerprint(source: Source | None, *others: Source | None) -> dict[str, Any]:
    """Return what must be the same when a run is resumed: the content of all its inputs."""
    found = [each.fingerprint() for each in (source, *others) if each is not None]
    return found[0] | {"sha256": "+".join(each["sha256"] for each in found)}


def in_blocks(part: Slice, size: int = BLOCK) -> Iterator[Slice]:
    """Cut a slice into slices of at most `size` rows."""
    if len(part.rows) <= size:
        yield part
        return
    yield from cut_slice(part, [*range(0, len(part.rows), size), len(part.rows)])


def look_over(shape: Shape, wanted: Wanted, ways: Ways, catalogue: Catalogue) -> Table:
    """Look an input over; nothing is sent.

    Raises
    ------
    InputError
        It has no rows, its ids look damaged, or what is said about its columns does not fit.
    """
    source, names = wanted.source, wanted.source.schema.names
    require_known(f"{shape.name}: the columns of ids", wanted.ids, valid=names)
    for name in wanted.ids:
        check_id_field(source.schema.field(name), ids_from_floats=ways.ids_from_floats)
    mapping = choose_columns(shape, names, apart=wanted.ids, columns=wanted.columns)
    types = {name: kind for name, kind in (ways.types or {}).items() if name in mapping}
    untyped = [name for name in mapping if source.is_text and catalogue is None and name not in types]
    found = survey(source, wanted.ids[0], infer=untyped, decimal=ways.decimal)
    _check(shape, source, wanted.ids, found, ways)
    form = resolve_form(
        shape,
        source.schema,
        mapping,
        reading=reading_of(source, ways),
        constants=wanted.constants,
        types=types,
        catalogue=catalogue,
        inferred=found.types,
    )
    return Table(source, wanted.ids, form, found)


def _check(shape: Shape, source: Source, ids: tuple[str, ...], found: Survey, ways: Ways) -> None:
    if not found.rows:
        raise InputError(f"{shape.name}: {source.name} has no rows")
    suspects = [*found.suspects, *(each for name in ids[1:] for each in survey(source, name).suspects)]
    blocking = [suspect.message for suspect in suspects if suspect.blocks]
    if blocking and not ways.allow_suspect_ids:
        raise InputError(
            f"{shape.name}: {'; '.join(blocking)}. Take the ids from their source again, or say allow_suspect_ids=True"
            " to send them"
        )


def reading_of(source: Source, ways: Ways) -> Reading:
    """Return how the cells of a source are read."""
    if ways.tz is not None:
        zone(ways.tz)
    require_known("decimal", [ways.decimal], valid=(".", ","))
    return Reading(
        blank_is_missing=source.is_text, tz=ways.tz, decimal=ways.decimal, truncate_times=ways.truncate_times
    )


def check_types(types: Mapping[str, str] | None, *tables: Table) -> None:
    """Raise `InputError` for a type of a column that no input has."""
    columns = [column.name for table in tables for column in table.form.columns]
    require_known("types", types or {}, valid=columns)
