"""What was on the page when it was checked: exactly this is sent, whatever is typed afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from t1data.client import Client
from t1data.errors import InputError
from t1data.forms.code import python_code, shell_code
from t1data.forms.data import Chosen
from t1data.forms.job import ClientSource, Job


@dataclass(frozen=True)
class Request:
    """Where to, which rows, and the arguments of the public function."""

    client: Client
    chosen: Chosen
    arguments: Mapping[str, Any]


def gather(job: Job, source: ClientSource, chosen: Chosen | None) -> Request:
    """Read the page.

    Raises
    ------
    InputError, ConfigError
        Something is missing, or cannot be what was typed.
    """
    if chosen is None:
        raise InputError("No rows are chosen yet: choose a file, an upload or a frame under 1. Rows")
    return Request(client_of(source), chosen, job.arguments())


def client_of(source: ClientSource) -> Client:
    """Return the client, of a connection form the one that it has by now."""
    return source if isinstance(source, Client) else source.client


def code_of(job: Job, request: Request) -> str:
    """Return the lines of Python, and of a shell, that do the same."""
    client, chosen, arguments = request.client, request.chosen, request.arguments
    lines = python_code(job.function, client, chosen, arguments)
    if not job.command:
        return lines
    shell = shell_code(job.command, client, chosen, arguments, json_values=job.json_values)
    return f"{lines}\n\n# the same in a shell\n{shell}"
