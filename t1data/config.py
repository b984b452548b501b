"""Where a client's settings come from: the process's environment, or named environments in a small file.

The file holds addresses and where each key is to be found, and never a key::

    [environments.shop-live]
    base_url = "https://shop.europe-west1.talon.one"
    key = "env:SHOP_LIVE_KEY"        # or "keyring"
    management_key = "keyring"       # optional
    live = true                      # writes ask for the environment's name

It is written whole by `add_environment` and `remove_environment`; comments are not kept.
"""

from __future__ import annotations

import os
import re
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import platformdirs

from t1data import keyrings
from t1data.errors import ConfigError
from t1data.transport.address import parse_base_url
from t1data.transport.key import ApiKey

T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEY_PLACE = re.compile(r"keyring|env:[A-Za-z_][A-Za-z0-9_]*")
_MANAGEMENT = "ManagementKey-v1"


@dataclass(frozen=True)
class Environment:
    """One named environment of the file.

    Parameters
    ----------
    name : str
        Letters, digits, ``-`` and ``_``.
    base_url : str
        As for `Client`.
    key : str
        Where the key is: ``"env:NAME"`` for an environment variable, or ``"keyring"``.
    management_key : str, optional
        The same for the Management API.
    live : bool, default False
        Whether writes ask for the environment's name.

    Raises
    ------
    ConfigError
        One of them cannot be used; a key that was put in place of its whereabouts is not repeated.

    Examples
    --------
    >>> Environment("shop", "https://shop.talon.one", "env:SHOP_KEY").live
    False
    """

    name: str
    base_url: str
    key: str = "keyring"
    management_key: str | None = None
    live: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ConfigError("An environment's name has 1 to 64 letters, digits, '-' and '_'.")
        parse_base_url(self.base_url)
        _check_place(self.key)
        if self.management_key is not None:
            _check_place(self.management_key)
        if not isinstance(self.live, bool):
            raise ConfigError(f"live is true or false, in environment {self.name}.")


def _check_place(place: object) -> None:
    if not isinstance(place, str) or not _KEY_PLACE.fullmatch(place):
        del place  # it may be the key itself
        raise ConfigError('A key is never written down here: give "env:NAME" or "keyring", which say where it is.')


@dataclass(frozen=True)
class Settings:
    """What a client is made of."""

    base_url: str
    api_key: ApiKey
    management_key: ApiKey | None = None
    live_name: str | None = None


def settings_of(environment: Mapping[str, str] | None = None) -> Settings:
    """Read ``T1DATA_BASE_URL``, ``T1DATA_API_KEY`` and, if there, ``T1DATA_MANAGEMENT_KEY``.

    Raises
    ------
    ConfigError
        Naming the variables that are missing.
    """
    return _from_variables(_settings, environment)


def _settings(found: Mapping[str, str]) -> Settings:
    missing = [name for name in ("T1DATA_BASE_URL", "T1DATA_API_KEY") if not found.get(name)]
    if missing:
        raise ConfigError(f"Set {' and '.join(missing)} in the environment.")
    management = found.get("T1DATA_MANAGEMENT_KEY")
    return Settings(
        found["T1DATA_BASE_URL"],
        ApiKey(found["T1DATA_API_KEY"]),
        ApiKey(management, scheme=_MANAGEMENT) if management else None,
    )


def _from_variables(read: Callable[[Mapping[str, str]], T], environment: Mapping[str, str] | None) -> T:
    """Read variables in such a way that no traceback that shows locals shows them: keys are among them."""
    try:
        return read(os.environ if environment is None else environment)
    except ConfigError as error:
        message = str(error)
    raise ConfigError(message)


def settings_named(
    name: str, *, path: str | os.PathLike[str] | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """Read a named environment and fetch its keys from where the file says.

    Raises
    ------
    ConfigError
        There is no such environment, or no key in the place named.
    """
    chosen = show_environment(name, path=path)
    management = chosen.management_key
    return Settings(
        chosen.base_url,
        _fetch(chosen, chosen.key, scheme="ApiKey-v1", environment=environment),
        (management and _fetch(chosen, management, scheme=_MANAGEMENT, environment=environment)) or None,
        chosen.name if chosen.live else None,
    )


def _fetch(chosen: Environment, place: str, *, scheme: str, environment: Mapping[str, str] | None) -> ApiKey:
    if place == "keyring":
        return keyrings.fetch_key(chosen.name, chosen.base_url, scheme=scheme)
    variable = place.removeprefix("env:")

    def read(found: Mapping[str, str]) -> ApiKey:
        if not found.get(variable):
            raise ConfigError(f"Environment {chosen.name} takes its key from {variable}: set that variable.")
        return ApiKey(found[variable], scheme=scheme)

    return _from_variables(read, environment)


def config_path(environment: Mapping[str, str] | None = None) -> Path:
    """Say where the file is: ``T1DATA_CONFIG``, or ``config.toml`` in the user's configuration folder."""
    found = os.environ if environment is None else environment
    named = found.get("T1DATA_CONFIG")
    return Path(named) if named else platformdirs.user_config_path("t1data") / "config.toml"


def list_environments(*, path: str | os.PathLike[str] | None = None) -> tuple[Environment, ...]:
    """Read all named environments, in the file's order; none when there is no file.

    Raises
    ------
    ConfigError
        The file cannot be read, or holds something that it must not hold, such as a key.
    """
    place = Path(path) if path is not None else config_path()
    tables = _tables(place)
    return tuple(_environment(name, table) for name, table in tables.items())


def show_environment(name: str, *, path: str | os.PathLike[str] | None = None) -> Environment:
    """Read one named environment.

    Raises
    ------
    ConfigError
        There is none of this name; the message lists those that there are.
    """
    known = {each.name: each for each in list_environments(path=path)}
    if name not in known:
        raise ConfigError(f"There is no environment {name!r}; there are: {', '.join(known) or 'none'}.")
    return known[name]


def add_environment(environment: Environment, *, path: str | os.PathLike[str] | None = None) -> None:
    """Write a new environment into the file.

    Raises
    ------
    ConfigError
        There is one of this name already.
    """
    known = list_environments(path=path)
    if environment.name in {each.name for each in known}:
        raise ConfigError(f"There is an environment {environment.name!r} already: remove it first.")
    _write([*known, environment], path)


def remove_environment(name: str, *, path: str | os.PathLike[str] | None = None) -> None:
    """Take an environment out of the file; a key in the keyring stays until it is deleted there.

    Raises
    ------
    ConfigError
        There is none of this name.
    """
    show_environment(name, path=path)
    _write([each for each in list_environments(path=path) if each.name != name], path)


def _tables(place: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"The configuration file {place} cannot be read: {type(error).__name__}.") from None
    tables = found.get("environments", {})
    if set(found) - {"environments"} or not isinstance(tables, dict):
        raise ConfigError(f"The configuration file {place} may hold [environments.<name>] tables only.")
    return tables


def _environment(name: str, table: object) -> Environment:
    known = {field.name for field in fields(Environment)} - {"name"}
    if not isinstance(table, dict) or "base_url" not in table or set(table) - known:
        del table  # a name that is not known may be that of a key
        raise ConfigError(f"Environment {name} takes base_url, key, management_key and live, and never a key itself.")
    return Environment(name=name, **table)


def _write(environments: Iterable[Environment], path: str | os.PathLike[str] | None) -> None:
    """Write the whole file beside its place, for its owner alone, and move it there in one step."""
    place = Path(path) if path is not None else config_path()
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, draft = tempfile.mkstemp(dir=place.parent, prefix=".config-", suffix=".toml")  # made with mode 0600
    try:
        with open(number, "w", encoding="utf-8") as file:
            file.write("\n".join(map(_table_text, environments)))
        os.replace(draft, place)
    except BaseException:
        os.unlink(draft)
        raise


def _table_text(environment: Environment) -> str:
    values = {name: value for name, value in asdict(environment).items() if name != "name" and value is not None}
    lines = [f"{name} = {_toml(value)}" for name, value in values.items()]
    return "\n".join([f"[environments.{environment.name}]", *lines, ""])


def _toml(value: str | bool) -> str:
    # The texts have passed their checks, which leave no quote, backslash or control character in them.
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'
