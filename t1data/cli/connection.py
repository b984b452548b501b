"""Where a command connects to: options, the environment, named environments, and the name of a live one."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from t1data.cli import values
from t1data.cli.options import Command
from t1data.errors import ConfigError

if TYPE_CHECKING:
    from t1data.client import Client
    from t1data.transport.pace_file import PaceName

_VARIABLES = ("T1DATA_BASE_URL", "T1DATA_API_KEY", "T1DATA_MANAGEMENT_KEY")


@dataclass(frozen=True)
class Connection:
    """What was typed about the connection."""

    base_url: str | None = None
    env: str | None = None
    rate: float | None = None
    live: str | None = None
    pace: PaceName = "own"

    @property
    def words(self) -> list[str]:
        """The options again, for a line that goes on with this command's work."""
        named = (("--base-url", self.base_url), ("--env", self.env), ("--live", self.live))
        return [word for flag, value in named if value for word in (flag, value)]


def connects(*, writes: bool) -> Callable[[Command], Command]:
    """Give a command the options of a connection; they reach it as one `Connection`."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def connected(
            *,
            base_url: str | None,
            env: str | None,
            rate: float | None,
            pace: PaceName,
            live: str | None = None,
            **given: Any,
        ) -> Any:
            return command(connection=Connection(base_url, env, rate, live, pace), **given)

        if writes:
            connected = _LIVE(connected)
        return _BASE_URL(_ENV(_RATE(_PACE(connected))))

    return decorate


def _read_rate(ctx: click.Context, param: click.Parameter, value: str) -> float | None:
    try:
        return values.rate(value)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx=ctx, param=param) from None


_BASE_URL = click.option("--base-url", metavar="URL", help="Where to connect to, in place of T1DATA_BASE_URL.")
_ENV = click.option("--env", metavar="NAME", help="A named environment; see `t1data config`.")
_RATE = click.option(
    "--rate", metavar="N|none", default="20", show_default=True, callback=_read_rate, help="Requests a second, at most."
)
_PACE = click.option(
    "--pace",
    type=click.Choice(["own", "shared"]),
    default="own",
    show_default=True,
    help="Whether all processes on this machine that share it send at one rate together.",
)
_LIVE = click.option("--live", metavar="NAME", help="The name of the live environment, to write to it unasked.")


def open_client(connection: Connection) -> Client:
    """Make the client that a command uses.

    Raises
    ------
    ConfigError
        Something is missing or does not fit; the sentence says what to set.
    """
    from t1data.client import Client

    if connection.env and connection.base_url:
        raise click.UsageError("--env has a base URL of its own, and its key goes nowhere else: leave out --base-url.")
    if connection.env:
        return Client.from_config(connection.env, rate=connection.rate, pace=connection.pace)
    return Client.from_env(_variables(connection), rate=connection.rate, pace=connection.pace)


def client_at_hand(connection: Connection) -> Client | None:
    """Make a client for a command that can do without one: None unless all it needs is there."""
    found = _variables(connection)
    if connection.env or all(found.get(name) for name in _VARIABLES):
        return open_client(connection)
    return None


def _variables(connection: Connection) -> dict[str, str]:
    found = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    return found | {"T1DATA_BASE_URL": connection.base_url} if connection.base_url else found


def check_live(client: Client, connection: Connection) -> None:
    """Unlock a live environment whose name was typed, and refuse early when nobody is there to be asked for it.

    Raises
    ------
    ConfigError
        The name is another one, or missing, or there is no live environment to be named.
    """
    if connection.live and not client.live_name:
        where = f"--env {connection.env}" if connection.env else "what T1DATA_BASE_URL or --base-url names"
        raise ConfigError(f"--live {connection.live}: {where} is not marked as live; leave --live out, or name another")
    if connection.live:
        client.unlock(connection.live)
    elif client.live_name and not sys.stdin.isatty():
        raise ConfigError(f"{client.live_name} is a live environment: to write to it, add --live {client.live_name}")


def ask_for_live(client: Client, connection: Connection) -> None:
    """Ask for the name of a live environment before it is written to."""
    if client.live_name and not connection.live:
        client.unlock(click.prompt(f"This writes to a live environment. Type its name ({client.live_name})", err=True))
