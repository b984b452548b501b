"""Create an audience, unless there is one of this name, and rename one."""

from __future__ import annotations

from collections.abc import Mapping

from t1data.audiences.find import Audience, Record, audience_number
from t1data.client import Client
from t1data.errors import ConflictError, InDoubtError, InputError


def create_audience(
    client: Client,
    name: str,
    *,
    integration: str | None = None,
    integration_id: str | None = None,
    description: str | None = None,
) -> Audience:
    """Return the audience of this name; create it when there is none.

    A second audience of the same name would be a new one, so the account is searched first. That takes a management
    key; without one the audience is created, and ``looked`` is False. The request is never repeated by itself.

    Parameters
    ----------
    client : Client
        Where to.
    name : str
        Not blank.
    integration, integration_id : str, optional
        The platform that the audience comes from, and its id there; the pair can stand in an account once.
    description : str, optional
        For people.

    Returns
    -------
    Audience
        ``is_new`` says whether it was created now.

    Raises
    ------
    InputError
        The name cannot be used, or several audiences have it; nothing was sent.
    ConflictError
        The account has an audience with this id of this integration already.
    InDoubtError
        The answer was lost. With a management key the account has been searched again, and had none of this name.

    Examples
    --------
    >>> import t1data as t1
    >>> with t1.Sandbox() as sandbox:
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key)
    ...     first, second = t1.create_audience(client, "Regulars"), t1.create_audience(client, "Regulars")
    >>> first.is_new, second.is_new, first.id == second.id
    (True, False, True)
    """
    client.check_unlocked("create_audience_v2")
    given = {"name": name, "integration": integration, "integrationId": integration_id, "description": description}
    body = {key: _text(key, value) for key, value in given.items() if value is not None}
    if "name" not in body:
        raise InputError("name: an audience needs one")
    if (known := _known(client, body)) is not None:
        return Audience(known["id"], known["name"])
    looked = client.management is not None
    try:
        made = client.create_audience_v2(body)
    except ConflictError as error:
        raise _explained(error, client, body) from None
    except InDoubtError:
        if (made := _known(client, body)) is None:
            raise
    return Audience(int(made["id"]), made["name"], 0, is_new=True, looked=looked)


def rename_audience(client: Client, audience: int | str, name: str) -> Audience:
    """Give an audience another name; its members stay.

    Parameters
    ----------
    client : Client
        Where to; with a management key when `audience` is a name.
    audience : int or str
        Its number, or its name.
    name : str
        The new one. With a management key, one that another audience has is refused.

    Raises
    ------
    InputError
        There is no such audience, or the new name cannot be used; nothing was sent.
    """
    client.check_unlocked("update_audience_v2")
    number, wanted = audience_number(client, audience), _text("name", name)
    taken = [] if client.management is None else client.management.list_audiences()
    if others := [each["id"] for each in taken if each["name"] == wanted and each["id"] != number]:
        raise InputError(f"name: audience {others[0]} has the name {wanted!r} already")
    renamed = client.update_audience_v2(number, {"name": wanted})
    return Audience(number, renamed["name"])


def _known(client: Client, body: Mapping[str, str]) -> Record | None:
    """Return the account's audience of this name (and of this integration, if one is named)."""
    if client.management is None:
        return None
    same = ("name", *(name for name in ("integration", "integrationId") if name in body))
    found = [each for each in client.management.list_audiences() if all(each.get(n) == body[n] for n in same)]
    if len(found) > 1:
        numbers = ", ".join(str(each["id"]) for each in found)
        raise InputError(f"name: {len(found)} audiences have the name {body['name']!r} already: {numbers}")
    return found[0] if found else None


def _explained(error: ConflictError, client: Client, body: Mapping[str, str]) -> ConflictError:
    """Say what a 409 means here: it is no traffic jam, and sending again cannot help."""
    taken = [] if client.management is None else client.management.list_audiences()
    pair = ("integration", "integrationId")
    others = [each for each in taken if all(each.get(name) == body.get(name) for name in pair)]
    which = f": audience {others[0]['id']}, named {others[0]['name']!r}" if others else ""
    return ConflictError(
        f"{error} There is an audience with this integration_id of this integration already{which}; nothing was"
        " created. Use that one, or leave integration_id out.",
        operation=error.operation,
        status=error.status,
        body=error.body,
        problems=error.problems,
        attempts=error.attempts,
    )


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise InputError(f"{name}: got {value!r}, valid is a text of printable characters that is not blank")
    return value
