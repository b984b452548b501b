"""Keys in the system's keyring, for those who have installed the ``keyring`` extra.

A key is kept under the environment's name and its base URL: whoever changes the URL in the configuration
file cannot have the key sent there.
"""

from __future__ import annotations

import importlib
from typing import Any

from t1data.errors import ConfigError
from t1data.transport.key import ApiKey

_ELSEWHERE = "keep the key in an environment variable, and name that as env:VARIABLE where the environment is added"


def fetch_key(name: str, base_url: str, *, scheme: str = "ApiKey-v1") -> ApiKey:
    """Fetch an environment's key.

    Parameters
    ----------
    name, base_url : str
        The environment's.
    scheme : str
        ``"ApiKey-v1"`` or ``"ManagementKey-v1"``: which of its keys.

    Raises
    ------
    ConfigError
        There is no keyring, or no such key in it.
    """
    keyring = _keyring()
    try:
        text = keyring.get_password(_service(base_url, scheme), name)
    except keyring.errors.KeyringError as error:
        raise _failed(error) from None
    if not text:
        raise ConfigError(f"The keyring holds no {scheme} key for {name} at its base URL: store it first.")
    return ApiKey(text, scheme=scheme)


def store_key(name: str, base_url: str, key: str, *, scheme: str = "ApiKey-v1") -> None:
    """Put an environment's key into the keyring.

    Raises
    ------
    ConfigError
        The key cannot be one, or there is no keyring.
    """
    holder = ApiKey(key, scheme=scheme)
    del key  # a traceback that shows locals must not show the key
    holder.check()
    keyring = _keyring()
    try:
        keyring.set_password(_service(base_url, scheme), name, holder.header().removeprefix(f"{scheme} "))
    except keyring.errors.KeyringError as error:
        failure = _failed(error)
    else:
        return
    raise failure


def check_keyring() -> None:
    """See that there is a keyring, before anybody is asked for a key.

    Raises
    ------
    ConfigError
        With what to do instead.
    """
    keyring = _keyring()
    if type(keyring.get_keyring()).__module__ in ("keyring.backends.fail", "keyring.backends.null"):
        raise ConfigError(f"There is no keyring on this machine: {_ELSEWHERE}.")


def delete_key(name: str, base_url: str, *, scheme: str = "ApiKey-v1") -> None:
    """Take an environment's key out of the keyring.

    Raises
    ------
    ConfigError
        There is no keyring, or no such key in it.
    """
    keyring = _keyring()
    try:
        keyring.delete_password(_service(base_url, scheme), name)
    except keyring.errors.KeyringError as error:
        raise _failed(error) from None


def _service(base_url: str, scheme: str) -> str:
    return f"t1data {scheme} {base_url}"


def _keyring() -> Any:
    try:
        importlib.import_module("keyring.errors")
        return importlib.import_module("keyring")
    except ImportError:
        raise ConfigError("The keyring needs its extra: pip install 't1data[keyring]'.") from None


def _failed(error: Exception) -> ConfigError:
    if type(error).__name__ == "NoKeyringError":
        return ConfigError(f"There is no keyring on this machine: {_ELSEWHERE}.")
    return ConfigError(f"The keyring cannot do it ({type(error).__name__}): {_ELSEWHERE}.")
