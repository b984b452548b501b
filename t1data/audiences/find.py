"""Which audience is meant: by its number, or by its name, and how many members it has."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any

from t1data.client import Client
from t1data.errors import InputError

Record = dict[str, Any]


@dataclass(frozen=True)
class Audience:
    """An audience of an account.

    Attributes
    ----------
    id : int
        Its number, by which plans and requests name it.
    name : str or None
        Its name, if it is known: numbers are turned into names with a management key.
    members : int or None
        How many customers were in it, if they were counted.
    is_new : bool
        Whether it was just created.
    looked : bool
        Whether the account was searched for an audience of this name before one was created.
    """

    id: int
    name: str | None
    members: int | None = None
    is_new: bool = False
    looked: bool = True

    def __str__(self) -> str:
        named = f"audience {self.id}" + (f" ({self.name!r})" if self.name is not None else "")
        if self.is_new and not self.looked:
            return f"{named}, new; whether there was one of this name already cannot be seen without a management key"
        return f"{named}, new" if self.is_new else named


def find_audience(client: Client, audience: int | str) -> Audience:
    """Return an audience by its number or its name, with the number of its members; nothing is changed.

    Parameters
    ----------
    client : Client
        With a management key.
    audience : int or str
        The number; or the name, exactly as it is.

    Raises
    ------
    InputError
        There is no such audience, several have this name, or the client has no management key.

    Examples
    --------
    >>> import t1data as t1
    >>> with t1.Sandbox() as sandbox:
    ...     sandbox.load({"audiences": [{"id": 748, "name": "Regulars"}]})
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key)
    ...     t1.find_audience(client, "Regulars")
    Audience(id=748, name='Regulars', members=0, is_new=False, looked=True)
    """
    if client.management is None:
        raise InputError(
            "audience: audiences are looked up and counted with a management key, and this client has none"
        )
    found = _found(client.management.list_audiences(), audience)
    return Audience(found["id"], found["name"], len(client.management.export_members(found["id"])))


def audience_number(client: Client, audience: int | str) -> int:
    """Return the number of an audience. A number is taken as it is; a name is looked up with a management key.

    Raises
    ------
    InputError
        It is no number and no name, or there is no such name, or no key to look with.
    """
    if isinstance(audience, Integral) and not isinstance(audience, bool):
        if audience < 1:
            raise InputError(f"audience: got {audience}, valid is the number of an audience, 1 or more, or a name")
        return int(audience)
    if client.management is None:
        raise InputError(
            "audience: a name is looked up with a management key, and this client has none; give the number"
        )
    return int(_found(client.management.list_audiences(), audience)["id"])


def _found(audiences: list[Record], wanted: int | str) -> Record:
    is_number = isinstance(wanted, Integral) and not isinstance(wanted, bool)
    if not is_number and not isinstance(wanted, str):
        raise InputError(f"audience: got {wanted!r}, valid is the number of an audience, or its name")
    found = [each for each in audiences if each["id" if is_number else "name"] == wanted]
    if len(found) > 1:
        numbers = ", ".join(str(each["id"]) for each in found)
        raise InputError(f"audience: {len(found)} have the name {wanted!r}; give the number: {numbers}")
    if not found:
        raise InputError(f"audience: the account has none {'with the number' if is_number else 'named'} {wanted!r}")
    return found[0]
