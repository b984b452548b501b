"""What one call does to a whole audience: delete it, empty it, set attributes of all its members."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

from t1data.audiences.find import Audience, find_audience
from t1data.client import Client
from t1data.errors import InputError
from t1data.tables.choices import check_names, require_known
from t1data.tables.literals import literal
from t1data.tables.values import Reading
from t1data.words import many

_ENTITY = "CustomerProfile"


def delete_audience(client: Client, audience: int | str, *, confirm: int | None = None) -> Audience:
    """Delete an audience and every membership in it; the customers stay. This cannot be undone.

    Parameters
    ----------
    client : Client
        With a management key, which counts the members.
    audience : int or str
        Its number, or its name.
    confirm : int
        How many members it has. Without it, or with another number, nothing is sent and the error says the number.

    Returns
    -------
    Audience
        As it was.

    Raises
    ------
    InputError
        There is no such audience, or the number is not that of its members; nothing was sent.
    """
    return _destroy(client, "delete_audience_v2", audience, confirm=confirm, what="delete the audience")


def empty_audience(client: Client, audience: int | str, *, confirm: int | None = None) -> Audience:
    """Take all members out of an audience, in one call; audience and customers stay.

    Parameters, what is returned and errors are those of `delete_audience`. Members who join between the count and the
    call are taken out too. To be able to take it back, read them first: ``client.management.export_members``.
    """
    what = "take all members out"
    return _destroy(client, "delete_audience_memberships_v2", audience, confirm=confirm, what=what)


def stamp_audience(
    client: Client, audience: int | str, attributes: Mapping[str, Any], *, confirm: int | None = None
) -> Audience:
    """Set the same attributes on every present member of an audience, in one call. What they were is not kept.

    Parameters
    ----------
    client : Client
        With a management key, which counts the members and knows the account's attributes.
    audience : int or str
        Its number, or its name.
    attributes : mapping of str to object
        Attribute → value: text, number, boolean, time with a zone, list; None clears the attribute.
    confirm : int
        How many members it has; see `delete_audience`.

    Returns
    -------
    Audience
        With the number of members that were counted.

    Raises
    ------
    InputError
        An attribute is not known or its value does not fit, there is no such audience, or the number is not that of
        its members; nothing was sent.

    Examples
    --------
    >>> import t1data as t1
    >>> with t1.Sandbox() as sandbox:
    ...     sandbox.load({
    ...         "audiences": [{"id": 748, "name": "Regulars"}],
    ...         "attributes": [{"entity": "CustomerProfile", "name": "Tier", "type": "string"}],
    ...     })
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key)
    ...     t1.stamp_audience(client, 748, {"Tier": "gold"}, confirm=0).members
    0
    """
    client.check_unlocked("update_audience_customers_attributes")
    known = find_audience(client, audience)
    body = _encoded(client, attributes)
    _check_number(client, known, confirm, what=f"set {', '.join(attributes)} on every one")
    client.update_audience_customers_attributes(known.id, body)
    return known


def _destroy(client: Client, operation: str, audience: int | str, *, confirm: int | None, what: str) -> Audience:
    client.check_unlocked(operation)
    known = find_audience(client, audience)
    _check_number(client, known, confirm, what=what)
    client.send(operation, known.id)
    return known


def _check_number(client: Client, audience: Audience, confirm: int | None, *, what: str) -> None:
    """Raise unless the caller has said how many customers this is about: no default ever says yes."""
    if isinstance(confirm, Integral) and not isinstance(confirm, bool) and confirm == audience.members:
        return
    given = "" if confirm is None else f"confirm: got {confirm!r}. "
    raise InputError(
        f"{given}{str(audience)[0].upper()}{str(audience)[1:]} at {client.base_url} (key {client.key_hint}) has"
        f" {many(audience.members or 0, 'member')}. To {what}, say confirm={audience.members}. Nothing was sent"
    )


def _encoded(client: Client, attributes: Mapping[str, Any]) -> bytes:
    """Return the attributes as they are sent, each held against the account's."""
    if not isinstance(attributes, Mapping) or not attributes:
        raise InputError(f"attributes: got {attributes!r}, valid is a mapping of attribute → value, with one at least")
    check_names(attributes)
    management = client.management
    assert management is not None
    types = {each["name"]: each["type"] for each in management.list_attributes(entity=_ENTITY)}
    require_known("attributes: the account does not know some of them", attributes, valid=types)
    values = (f'"{name}":{_value(name, value, types[name])}' for name, value in attributes.items())
    return f"{{{','.join(values)}}}".encode()


def _value(name: str, value: Any, kind: str) -> str:
    if value is None:
        return "null"
    return literal(value, Reading(), declared=kind, what=f"attributes[{name!r}]")
