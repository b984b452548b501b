"""Which columns of an input are terms of its codes, and which of them cannot be meant. Nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from t1data.errors import InputError
from t1data.referrals.terms import Terms
from t1data.tables.choices import check_names, choose_id, listing, require_known
from t1data.tables.decide import decide_types, declare, own_kind
from t1data.tables.ids import check_id_field
from t1data.tables.records import Source
from t1data.tables.values import Reading
from t1data.tables.zones import zone

FRIEND = "friend_integration_id"
ATTRIBUTES, PREFIX = "attributes", "attributes."

TYPES = {
    "usage_limit": "number",
    "start_date": "time",
    "expiry_date": "time",
    "pattern": "string",
    "valid_characters": "string",
}
"""Columns that are terms by their names, and what their cells are."""

_ALIASES = {"friend": FRIEND, "friendid": FRIEND, "friendprofileintegrationid": FRIEND, "referralpattern": "pattern"}
"""Other names for these columns, in lower case and without signs: the API's own, and what people say."""


@dataclass(frozen=True)
class Columns:
    """What is read of an input.

    Attributes
    ----------
    advocate : str
        The column of the advocates' ids.
    friend : str or None
        The column of the friends' ids.
    terms : tuple of str
        Columns of `TYPES` that are there.
    attributes : mapping of str to str
        Column → attribute.
    types : mapping of str to str
        Column → type, of the attributes.
    json : bool
        There is a column ``attributes``, of JSON objects.
    tz : str or None
        The zone of times that name none.
    ignored : tuple of str
        The other columns.
    """

    advocate: str
    friend: str | None = None
    terms: tuple[str, ...] = ()
    attributes: Mapping[str, str] | None = None
    types: Mapping[str, str] | None = None
    json: bool = False
    tz: str | None = None
    ignored: tuple[str, ...] = ()

    @property
    def read(self) -> list[str]:
        """The columns that are read, the advocates first."""
        more = [self.friend] if self.friend else []
        return [self.advocate, *more, *self.terms, *(self.attributes or {}), *([ATTRIBUTES] if self.json else [])]

    @property
    def differ(self) -> bool:
        """Whether rows can have terms of their own."""
        return len(self.read) > 1

    def facts(self) -> dict[str, Any]:
        """Return what a resume must find unchanged."""
        return {"columns": self.read, "types": dict(self.types or {}), "tz": self.tz}


def choose_columns(
    source: Source,
    terms: Terms,
    *,
    advocate: str,
    friend: str = FRIEND,
    types: Mapping[str, str] | None = None,
    tz: str | None = None,
    catalogue: Mapping[str, str] | None = None,
    inferred: Mapping[str, str] | None = None,
) -> Columns:
    """Hold what the caller says against the columns that are there.

    Parameters
    ----------
    source : Source
        The input.
    terms : Terms
        What is given for all rows; a column may not say it too.
    advocate, friend : str
        Columns of ids; the friends' is needed only when it is not the default one.
    types : mapping, optional
        Column → type, for columns of attributes.
    tz : str, optional
        The zone of times that name none.
    catalogue : mapping, optional
        Attribute → type as the account declares them for referrals.
    inferred : mapping, optional
        Column → type as the text looks.

    Raises
    ------
    InputError
        A column is not there, is given twice over, or looks like a term and would not be read.
    """
    names = source.schema.names
    column = choose_id(names, advocate, parameter="advocate")
    check_id_field(source.schema.field(column))
    if tz is not None:
        zone(tz)
    found = tuple(name for name in TYPES if name in names and name != column)
    attributes = {name: name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX) and name != column}
    chosen = Columns(
        column, _friend(source, friend), found, attributes, None, ATTRIBUTES in names and column != ATTRIBUTES, tz
    )
    ignored = tuple(name for name in names if name not in chosen.read)
    _refuse_contradictions(chosen, terms)
    _refuse_look_alikes(ignored, chosen)
    reading = Reading(blank_is_missing=source.is_text, tz=tz)
    decide_types(
        source.schema, TYPES, columns=[n for n in found if not _is_list(source, n)], inferred={}, reading=reading
    )
    told = _attribute_types(source, attributes, terms, types or {}, catalogue, inferred or {}, reading)
    return Columns(column, chosen.friend, found, attributes, told, chosen.json, tz, ignored)


def _attribute_types(
    source: Source,
    attributes: Mapping[str, str],
    terms: Terms,
    types: Mapping[str, str],
    catalogue: Mapping[str, str] | None,
    inferred: Mapping[str, str],
    reading: Reading,
) -> dict[str, str]:
    check_names(attributes.values(), mend="rename the columns, or leave them out")
    if catalogue is not None:
        known = [*attributes.values(), *(terms.attributes or {})]
        require_known("attributes: the account does not know some of them for referrals", known, valid=catalogue)
    declared = declare(attributes, types=types, catalogue=catalogue or {})
    return decide_types(source.schema, declared, columns=attributes, inferred=inferred, reading=reading)


def _is_list(source: Source, name: str) -> bool:
    return name == "valid_characters" and own_kind(source.schema.field(name)) in ("(list string)", "json")


def _friend(source: Source, friend: str) -> str | None:
    if friend not in source.schema.names:
        if friend != FRIEND:
            require_known("friend", [friend], valid=source.schema.names)
        return None
    check_id_field(source.schema.field(friend))
    return friend


def _refuse_contradictions(chosen: Columns, terms: Terms) -> None:
    both = [name for name in chosen.terms if name in terms.given]
    if chosen.json and ("attributes" in terms.given or chosen.attributes):
        both.append("attributes")
    if both:
        raise InputError(
            f"advocates: {listing(both)} would be said twice, by a column and for all rows: leave out one of them"
        )
    twice = [name for name in (chosen.attributes or {}).values() if name in (terms.attributes or {})]
    if twice:
        raise InputError(f"attributes: {listing(twice)} would be sent from a column already")


def _refuse_look_alikes(ignored: Sequence[str], chosen: Columns) -> None:
    """Refuse columns that whoever has them would expect to count."""
    known = {_folded(name): name for name in (*TYPES, FRIEND, ATTRIBUTES)} | _ALIASES
    found = {name: known[_folded(name)] for name in ignored if _folded(name) in known}
    if chosen.friend:
        found = {name: right for name, right in found.items() if right != FRIEND}
    campaign = [name for name in ignored if _folded(name) == "campaignid"]
    if campaign:
        raise InputError(
            f"advocates: all codes of a run are of one campaign, and column {campaign[0]!r} would not be read: leave it"
            " out, and make a run for each campaign"
        )
    if found:
        said = ", ".join(f"{name!r} (did you mean {right!r}?)" for name, right in found.items())
        raise InputError(f"advocates: these columns look like terms and would not be read: {said}. Rename or drop them")


def _folded(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())
