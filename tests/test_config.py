"""Named environments: a small file without keys, keys from variables or the keyring, and the lock on live ones."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backends.fail
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend

from t1data import keyrings
from t1data.client import Client
from t1data.config import (
    Environment,
    add_environment,
    config_path,
    list_environments,
    remove_environment,
    settings_named,
    show_environment,
)
from t1data.errors import ConfigError

KEY = "0123456789abcdef"
SHOP = Environment("shop-test", "https://shop.talon.one", "env:SHOP_KEY")
LIVE = Environment("shop-live", "https://live.talon.one", "keyring", management_key="env:LIVE_ADMIN", live=True)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings" / "config.toml"


class Drawer(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("none")


@pytest.fixture
def drawer() -> Iterator[Drawer]:
    before, made = keyring.get_keyring(), Drawer()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


# --- the file ---------------------------------------------------------------------------------------------


def test_environments_come_back_as_they_were_written(file: Path):
    add_environment(SHOP, path=file)
    add_environment(LIVE, path=file)
    assert list_environments(path=file) == (SHOP, LIVE)
    assert show_environment("shop-live", path=file) == LIVE
    remove_environment("shop-test", path=file)
    assert list_environments(path=file) == (LIVE,)


names = st.text("abcXYZ019-_", min_size=1, max_size=64)
places = st.one_of(st.just("keyring"), st.from_regex(r"env:[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True))
urls = st.sampled_from(["https://a.example", "https://a.example:8443", "http://[::1]:8080", "http://localhost"])
environments = st.builds(Environment, names, urls, places, st.none() | places, st.booleans())


@given(st.lists(environments, unique_by=lambda each: each.name, max_size=5))
def test_any_environments_survive_the_file(tmp_path_factory: pytest.TempPathFactory, made: list[Environment]):
    file = tmp_path_factory.mktemp("any") / "config.toml"
    for each in made:
        add_environment(each, path=file)
    assert list(list_environments(path=file)) == made


def test_there_are_none_where_there_is_no_file(file: Path):
    assert list_environments(path=file) == ()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_file_is_for_its_owner_alone(file: Path, umask: int):
    before = os.umask(umask)
    try:
        add_environment(SHOP, path=file)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) & 0o077 == 0
    assert [each.name for each in file.parent.iterdir()] == ["config.toml"]


def test_the_same_name_is_not_written_twice(file: Path):
    add_environment(SHOP, path=file)
    with pytest.raises(ConfigError, match="remove it first"):
        add_environment(SHOP, path=file)


def test_an_unknown_name_lists_those_that_there_are(file: Path):
    add_environment(SHOP, path=file)
    for ask in (show_environment, remove_environment):
        with pytest.raises(ConfigError, match="there are: shop-test"):
            ask("shop", path=file)


@pytest.mark.parametrize(
    "text",
    [
        f'[environments.shop]\nbase_url = "https://shop.talon.one"\nkey = "{KEY}"\n',
        f'[environments.shop]\nbase_url = "https://shop.talon.one"\nmanagement_key = "{KEY}"\n',
        f'[environments.shop]\nbase_url = "https://shop.talon.one"\napi_key = "{KEY}"\n',
        f'[environments.shop]\nbase_url = "https://{KEY}@shop.talon.one"\n',
        f'[environments.shop]\nbase_url = "https://shop.talon.one"\n{KEY} = true\n',
        f'key = "{KEY}"\n',
        f'key = "{KEY}\n',
        "[environments]\nshop = 7\n",
        "environments = 7\n",
        "[environments.shop]\nkey = 'keyring'\n",
        "[environments.shop]\nbase_url = 'https://shop.talon.one'\nlive = 'yes'\n",
        "[environments.'a b']\nbase_url = 'https://shop.talon.one'\n",
        "[environments.shop]\nbase_url = 'http://shop.talon.one'\n",
    ],
)
def test_a_file_with_a_key_or_a_mistake_is_refused_in_a_sentence_without_the_key(file: Path, text: str):
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        list_environments(path=file)
    assert KEY not in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("place", [KEY, "env:", "env:A-B", "env:A B", "", "KEYRING", None])
def test_where_a_key_is_may_be_said_and_the_key_may_not(place: str):
    with pytest.raises(ConfigError, match="never written down") as caught:
        Environment("shop", "https://shop.talon.one", place)
    assert KEY not in str(caught.value)


def test_the_file_is_where_the_variable_or_the_platform_says(tmp_path: Path):
    assert config_path({"T1DATA_CONFIG": str(tmp_path / "x.toml")}) == tmp_path / "x.toml"
    assert config_path({}).parts[-2:] == ("t1data", "config.toml")


# --- keys -------------------------------------------------------------------------------------------------


def test_a_key_comes_from_its_variable(file: Path, monkeypatch: pytest.MonkeyPatch):
    add_environment(SHOP, path=file)
    monkeypatch.setenv("SHOP_KEY", KEY)
    client = Client.from_config("shop-test", path=file)
    assert (client.base_url, client.key_hint, client.live_name) == ("https://shop.talon.one", "…cdef", None)


def test_a_variable_that_is_not_set_is_named(file: Path):
    add_environment(SHOP, path=file)
    with pytest.raises(ConfigError, match="takes its key from SHOP_KEY: set that variable"):
        settings_named("shop-test", path=file, environment={})


def test_a_key_comes_from_the_keyring(file: Path, drawer: Drawer):
    add_environment(LIVE, path=file)
    keyrings.store_key("shop-live", "https://live.talon.one", KEY)
    found = settings_named("shop-live", path=file, environment={"LIVE_ADMIN": "fedcba9876543210"})
    assert found.api_key.header() == f"ApiKey-v1 {KEY}"
    assert found.management_key is not None
    assert found.management_key.header() == "ManagementKey-v1 fedcba9876543210"
    assert found.live_name == "shop-live"


def test_a_key_in_the_keyring_belongs_to_its_address(file: Path, drawer: Drawer):
    keyrings.store_key("shop", "https://shop.talon.one", KEY)
    add_environment(Environment("shop", "https://evil.example"), path=file)
    with pytest.raises(ConfigError, match="holds no ApiKey-v1 key for shop"):
        settings_named("shop", path=file)


def test_a_key_is_deleted_from_the_keyring(drawer: Drawer):
    keyrings.store_key("shop", "https://shop.talon.one", KEY)
    keyrings.delete_key("shop", "https://shop.talon.one")
    assert drawer.kept == {}
    with pytest.raises(ConfigError, match="The keyring cannot do it"):
        keyrings.delete_key("shop", "https://shop.talon.one")


def test_a_key_that_cannot_be_one_does_not_reach_the_keyring(drawer: Drawer):
    with pytest.raises(ConfigError, match="holds a space"):
        keyrings.store_key("shop", "https://shop.talon.one", "has space")
    assert drawer.kept == {}


def test_a_machine_without_a_keyring_is_told_the_other_way():
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    try:
        for ask in (keyrings.fetch_key, keyrings.delete_key):
            with pytest.raises(
                ConfigError, match=r"no keyring on this machine: keep the key in an environment variable"
            ):
                ask("shop", "https://shop.talon.one")
        with pytest.raises(ConfigError, match="name that as env:VARIABLE where the environment is added"):
            keyrings.store_key("shop", "https://shop.talon.one", KEY)
        with pytest.raises(ConfigError, match="no keyring on this machine"):
            keyrings.check_keyring()
    finally:
        keyring.set_keyring(before)


def test_the_extra_is_named_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "keyring.errors", None)  # what Python does for a package that is not there
    with pytest.raises(ConfigError, match=r"pip install 't1data\[keyring\]'"):
        keyrings.fetch_key("shop", "https://shop.talon.one")
