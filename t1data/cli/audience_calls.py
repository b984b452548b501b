"""``t1data audiences``: one call on a whole audience: create, rename, delete, empty, stamp."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from t1data.cli import values
from t1data.cli.connection import Connection, ask_for_live, check_live, connects, open_client
from t1data.cli.numbers import typed_number
from t1data.cli.options import Command, Option, collects, in_flags
from t1data.cli.talk import Exit, say, tell
from t1data.errors import InDoubtError, RefusedError
from t1data.words import many

if TYPE_CHECKING:
    from t1data.audiences.find import Audience
    from t1data.client import Client

_CONFIRM = Option(
    "--confirm", "confirm", "How many members the audience has; asked for when it is left out.", "N", kind=int
)

CREATING = (
    Option("--integration", "integration", "The platform that the audience comes from.", "NAME"),
    Option("--integration-id", "integration_id", "Its id in that platform.", "ID"),
    Option("--description", "description", "What it is, for people.", "TEXT"),
)
DESTROYING = (_CONFIRM,)
STAMPING = (
    Option(
        "--attribute",
        "attributes",
        "An attribute and its value: JSON where it can be read as JSON (null clears it), text otherwise. Repeat it.",
        "ATTRIBUTE=VALUE",
        read=values.constants,
        repeat=True,
    ),
    _CONFIRM,
)
# Parameters of the public functions that no row of the tables feeds, each with its reason.
WITHOUT_OPTION = {
    "client": "made from the environment, --env, --base-url and --rate",
    "audience": "the argument AUDIENCE",
    "name": "the argument NAME",
}


def number_or_name(ctx: click.Context, param: click.Parameter, typed: str) -> int | str:
    """Read an audience: digits are its number."""
    return int(typed) if typed.isascii() and typed.isdigit() else typed


def _one_request(command: Command) -> Command:
    """Let a command that sends one request end with the exit code of what became of it."""

    @functools.wraps(command)
    def ended(**given: Any) -> int:
        try:
            command(**given)
        except (RefusedError, InDoubtError) as error:
            say(f"Error: {in_flags(str(error))}")
            return Exit.IN_DOUBT if isinstance(error, InDoubtError) else Exit.SOME_NOT_ACCEPTED
        return Exit.ACCEPTED

    return ended


AUDIENCE = click.argument("audience", metavar="AUDIENCE", callback=number_or_name)


@click.command()
@click.argument("name", metavar="NAME")
@connects(writes=True)
@collects("creating", CREATING)
@_one_request
def create(*, name: str, connection: Connection, creating: dict[str, Any]) -> None:
    """Create an audience, unless there is one of this name.

    The account is searched first, which takes a management key.
    """
    from t1data.audiences.create import create_audience

    client = _open(connection)
    made = create_audience(client, name, **creating)
    say(f"{'Created' if made.is_new else 'There already'}: {made}")
    tell({"audience_id": made.id, "name": made.name, "is_new": made.is_new})


@click.command()
@AUDIENCE
@click.argument("name", metavar="NAME")
@connects(writes=True)
@_one_request
def rename(*, audience: int | str, name: str, connection: Connection) -> None:
    """Give an audience another name; its members stay."""
    from t1data.audiences.create import rename_audience

    renamed = rename_audience(_open(connection), audience, name)
    say(f"Renamed: {renamed}")
    tell({"audience_id": renamed.id, "name": renamed.name})


@click.command()
@AUDIENCE
@connects(writes=True)
@collects("destroying", DESTROYING)
@_one_request
def delete(*, audience: int | str, connection: Connection, destroying: dict[str, Any]) -> None:
    """Delete an audience and every membership in it; the customers stay. This cannot be undone."""
    from t1data.audiences.calls import delete_audience

    _change(delete_audience, connection, audience, destroying, what="delete the audience")


@click.command()
@AUDIENCE
@connects(writes=True)
@collects("destroying", DESTROYING)
@_one_request
def empty(*, audience: int | str, connection: Connection, destroying: dict[str, Any]) -> None:
    """Take all members out of an audience; audience and customers stay."""
    from t1data.audiences.calls import empty_audience

    _change(empty_audience, connection, audience, destroying, what="take them all out")


@click.command()
@AUDIENCE
@connects(writes=True)
@collects("stamping", STAMPING)
@_one_request
def stamp(*, audience: int | str, connection: Connection, stamping: dict[str, Any]) -> None:
    """Set the same attributes on every present member of an audience, in one call. What they were is not kept."""
    from t1data.audiences.calls import stamp_audience

    if "attributes" not in stamping:
        raise click.UsageError("give at least one --attribute ATTRIBUTE=VALUE")
    names = ", ".join(stamping["attributes"])
    _change(stamp_audience, connection, audience, stamping, what=f"set {names} on every one")


def _open(connection: Connection) -> Client:
    client = open_client(connection)
    check_live(client, connection)
    ask_for_live(client, connection)
    return client


def _change(
    call: Callable[..., Audience], connection: Connection, audience: int | str, given: dict[str, Any], *, what: str
) -> None:
    """Show how many members an audience has, have the number typed, and make the call."""
    from t1data.audiences.find import find_audience

    client = _open(connection)
    known = find_audience(client, audience)
    say(f"{known} at {client.base_url} (key {client.key_hint}): {many(known.members or 0, 'member')}")
    number = typed_number(given.get("confirm"), question=f"Type their number ({known.members}) to {what}")
    changed = call(client, known.id, **given | {"confirm": number})
    say(f"Done: {changed}, {many(changed.members or 0, 'member')}")
    tell({"audience_id": changed.id, "name": changed.name, "members": changed.members})


COMMANDS = (create, rename, delete, empty, stamp)
