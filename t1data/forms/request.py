"""What was on the page when it was checked: exactly this is sent, whatever is typed afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from t1data.bulk.progress import Control
from t1data.client import Client
from t1data.errors import InputError
from t1data.forms.code import python_code, shell_code
from t1data.forms.data import Chosen
from t1data.forms.job import ClientSource, Job, Planned


@dataclass(frozen=True)
class Request:
    """A job, where to, which rows if it takes any, and the arguments of the public function.

    Rows of a second input are among the arguments.
    """

    job: Job
    client: Client
    chosen: Chosen | None
    arguments: Mapping[str, Any]

    def plan(self) -> Planned:
        """Find out what would be done."""
        return self.job.plan(self.client, None if self.chosen is None else self.chosen.data, self.values)

    @property
    def values(self) -> dict[str, Any]:
        """The arguments as the function takes them."""
        return values_of(self.arguments)

    def settled(self, arguments: Mapping[str, Any]) -> Request:
        """Return the request with what the check has settled."""
        return replace(self, arguments={**self.arguments, **arguments})

    def send(self, progress: Any, control: Control, **more: Any) -> Any:
        """Call the public function."""
        values = self.values | more
        before = [values.pop(name) for name in self.job.ahead]
        if self.chosen is None:
            return self.job.send(self.client, *before, **values)
        return self.job.send(self.client, *before, self.chosen.data, progress=progress, control=control, **values)

    def code(self) -> str:
        """Return the lines of Python, and of a shell, that do the same."""
        job = self.job
        lines = python_code(job.function, self.client, self.chosen, self.arguments, ahead=job.ahead)
        if not job.command:
            return lines
        given = {**job.wants, **self.arguments}
        shell = shell_code(job.command, self.client, self.chosen, given, json_values=job.json_values, ahead=job.ahead)
        return f"{lines}\n\n# the same in a shell\n{shell}"


def gather(job: Job, source: ClientSource, chosen: Chosen | None) -> Request:
    """Read the page.

    Raises
    ------
    InputError, ConfigError
        Something is missing, or cannot be what was typed.
    """
    if job.rows and chosen is None:
        raise InputError("No rows are chosen yet: choose a file, an upload or a frame under 1. Rows")
    return Request(job, client_of(source), chosen if job.rows else None, job.arguments())


def rows_of(job: Job, chosen: Chosen | None) -> Any:
    """Return what is chosen as a resume takes it: a pair, where there is a second input."""
    if chosen is None or not job.second:
        return None if chosen is None else chosen.data
    (part,) = (part for part in job.parts if job.second in part.labels)
    return chosen.data, values_of(part.arguments()).get(job.second)


def values_of(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments with the rows themselves in place of what is known of them."""
    return {name: value.data if isinstance(value, Chosen) else value for name, value in arguments.items()}


def client_of(source: ClientSource) -> Client:
    """Return the client, of a connection form the one that it has by now."""
    return source if isinstance(source, Client) else source.client
