"""Where a client's settings come from: the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from t1data.errors import ConfigError
from t1data.key import ApiKey


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
    found = os.environ if environment is None else environment
    missing = [name for name in ("T1DATA_BASE_URL", "T1DATA_API_KEY") if not found.get(name)]
    if missing:
        del found, environment  # a traceback that shows locals must not show keys
        raise ConfigError(f"Set {' and '.join(missing)} in the environment.")
    return Settings(
        found["T1DATA_BASE_URL"],
        ApiKey(found["T1DATA_API_KEY"]),
        _management_key(found.get("T1DATA_MANAGEMENT_KEY")),
    )


def _management_key(text: str | None) -> ApiKey | None:
    return ApiKey(text, scheme="ManagementKey-v1") if text else None
