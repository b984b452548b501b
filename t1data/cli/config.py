"""``t1data config``: named environments, and their keys in the keyring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import click

from t1data.cli.talk import say, tell
from t1data.errors import ConfigError

_NAME = click.argument("name", metavar="NAME")
_JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON for machines, and nothing else.")
_MANAGEMENT = click.option("--management", is_flag=True, help="The key of the Management API.")
_PLACE = "env:VARIABLE, or keyring"


@click.group()
def config() -> None:
    """Name environments, and say where their keys are to be found.

    The file holds addresses and the whereabouts of keys, and never a key.
    """


@config.command()
def path() -> None:
    """Print where the file is."""
    from t1data.config import config_path

    click.echo(config_path())


@config.command("list")
@_JSON
def list_(*, as_json: bool) -> None:
    """List the environments."""
    from t1data.config import config_path, list_environments

    found = list_environments()
    if as_json:
        tell([asdict(environment) for environment in found])
        return
    if not found:
        say(f"There are no environments yet in {config_path()}: add one with `t1data config add`.")
    for each in found:
        click.echo(f"{each.name}  {each.base_url}{'  live' if each.live else ''}")


@config.command()
@_NAME
@_JSON
def show(*, name: str, as_json: bool) -> None:
    """Show one environment."""
    from t1data.config import show_environment

    found = asdict(show_environment(name))
    if as_json:
        tell(found)
        return
    for key, value in found.items():
        click.echo(f"{key:<15} {value if value is not None else '-'}")


@config.command()
@_NAME
@click.option("--base-url", required=True, metavar="URL", help="https://<name>.<region>.talon.one")
@click.option("--key", default="keyring", show_default=True, metavar="PLACE", help=f"Where the key is: {_PLACE}.")
@click.option("--management-key", metavar="PLACE", help=f"Where the key of the Management API is: {_PLACE}.")
@click.option("--live", is_flag=True, help="Ask for the environment's name before each write.")
def add(*, name: str, base_url: str, key: str, management_key: str | None, live: bool) -> None:
    """Add an environment.

    PLACE says where a key is, and is never the key itself.
    """
    from t1data.config import Environment, add_environment

    add_environment(Environment(name, base_url, key, management_key, live))
    say(f"Added {name}.")
    switches = [switch for place, switch in ((key, ""), (management_key, " --management")) if place == "keyring"]
    if switches:
        _say_how_to_store(name, switches)


def _say_how_to_store(name: str, switches: Sequence[str]) -> None:
    from t1data.keyrings import check_keyring

    try:
        check_keyring()
    except ConfigError as error:
        say(f"{error} To begin anew: t1data config remove {name}")
        return
    for switch in switches:
        say(f"Store its key with: t1data config set-key {name}{switch}")


@config.command()
@_NAME
def remove(*, name: str) -> None:
    """Remove an environment; a key in the keyring stays until `delete-key`."""
    from t1data.config import remove_environment

    remove_environment(name)
    say(f"Removed {name}.")


@config.command("set-key")
@_NAME
@_MANAGEMENT
def set_key(*, name: str, management: bool) -> None:
    """Ask for a key, unseen, and put it into the keyring."""
    from t1data.config import show_environment
    from t1data.keyrings import check_keyring, store_key

    environment = show_environment(name)
    check_keyring()
    typed = click.prompt(f"Key of {name} (not shown)", hide_input=True, err=True)
    store_key(name, environment.base_url, typed, scheme=_scheme(management))
    say("Stored.")


@config.command("delete-key")
@_NAME
@_MANAGEMENT
def delete_key(*, name: str, management: bool) -> None:
    """Take a key out of the keyring."""
    from t1data.config import show_environment
    from t1data.keyrings import delete_key as delete

    delete(name, show_environment(name).base_url, scheme=_scheme(management))
    say("Deleted.")


def _scheme(management: bool) -> str:
    return "ManagementKey-v1" if management else "ApiKey-v1"
