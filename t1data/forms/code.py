"""What a form does, as the lines of Python and of a shell that do the same."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from t1data.client import Client
from t1data.forms.data import Chosen

_WIDE = 88


def python_code(
    function: str, client: Client, chosen: Chosen | None, arguments: Mapping[str, Any], *, ahead: Collection[str] = ()
) -> str:
    """Return a script that does what the form does; keys come from the environment, as everywhere.

    Arguments whose names are in `ahead` stand before the rows, if there are any, without their names.

    Examples
    --------
    >>> client = Client("https://shop.talon.one", "0123456789abcdef")
    >>> people = Chosen("people.csv", "people.csv", "'people.csv'", "people.csv")
    >>> print(python_code("upsert_profiles", client, people, {"id": "customer"}).splitlines()[-1])
    run = t1.upsert_profiles(client, 'people.csv', id='customer')
    """
    if client.live_name:
        name = repr(client.live_name)
        opened = [f"client = t1.Client.from_config({name})", f"client.unlock({name})"]
    else:
        opened = [f"client = t1.Client.from_env()  # T1DATA_API_KEY, and T1DATA_BASE_URL={client.base_url}"]
    before = [_literal(arguments[name]) for name in ahead]
    named = (f"{name}={_literal(value)}" for name, value in arguments.items() if name not in ahead)
    words = ["client", *before, *([chosen.python] if chosen else []), *named]
    return "\n".join(["import t1data as t1", "", *opened, f"run = t1.{function}{_called(words)}"])


def shell_code(
    command: Sequence[str],
    client: Client,
    chosen: Chosen | None,
    arguments: Mapping[str, Any],
    *,
    json_values: Collection[str] = (),
    ahead: Collection[str] = (),
) -> str:
    """Return the command that does what the form does.

    Parameters
    ----------
    command : sequence of str
        Its words after ``t1data``.
    client, chosen, arguments, ahead
        As for `python_code`.
    json_values : collection of str
        Parameters of which the command reads each value as JSON where it can be.

    Examples
    --------
    >>> client = Client("https://shop.talon.one", "0123456789abcdef")
    >>> people = Chosen("people.csv", "people.csv", "'people.csv'", "people.csv")
    >>> shell_code(("profiles", "upsert"), client, people, {"types": {"Age": "number"}})
    't1data profiles upsert people.csv --type Age=number --base-url https://shop.talon.one'
    """
    rows = [value for value in (chosen, *arguments.values()) if isinstance(value, Chosen)]
    if any(each.shell is None for each in rows):
        return "# Save the rows as a file first: a shell cannot see this kernel's memory."
    before = [str(arguments[name]) for name in ahead]
    named = [(name, value) for name, value in arguments.items() if name not in ahead]
    words = [word for name, value in named for word in _options(name, value, json_values)]
    live = client.live_name
    where = ["--env", live, "--live", live] if live else ["--base-url", client.base_url]
    return shlex.join(["t1data", *command, *before, *([str(chosen.shell)] if chosen else []), *words, *where])


def _literal(value: Any) -> str:
    return value.python if isinstance(value, Chosen) else repr(value)


def _called(words: Sequence[str]) -> str:
    line = f"({', '.join(words)})"
    return line if len(line) <= _WIDE else "(\n    " + ",\n    ".join(words) + ",\n)"


def _options(name: str, value: Any, json_values: Collection[str]) -> Iterator[str]:
    """Return an argument as a shell gives it: mappings and lists one by one, under the name of one of them."""
    flag = f"--{name.replace('_', '-')}"
    if value is True:
        yield flag
    elif isinstance(value, Mapping):
        is_json = name in json_values
        for key, each in value.items():
            # Values that may hold a sign themselves are parted from their names by the first one.
            typed = key.replace("=", "\\=") if is_json or name == "defaults" else key
            yield from (flag.removesuffix("s"), f"{typed}={_text(each, quoted=is_json)}")
    elif isinstance(value, list | tuple):
        for each in value:
            yield from (flag.removesuffix("s"), str(each))
    elif isinstance(value, Chosen):
        yield from (flag, str(value.shell))
    else:
        yield from (flag, "\\t" if value == "\t" else str(value))


def _text(value: Any, *, quoted: bool) -> str:
    """Return a value as an option's text."""
    if not isinstance(value, str):
        return json.dumps(value)
    return json.dumps(value) if quoted and _is_json(value) else value


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
