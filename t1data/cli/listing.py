"""Commands that are imported when one of them is called: to list them, as ``t1data --help`` does, needs none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

import click


class Commands(Mapping[str, click.Command]):
    """Commands by name, each in the module of this folder that bears its name.

    Parameters
    ----------
    sentences : mapping of str to str
        Name → what the command does, as the list of commands says it.
    """

    def __init__(self, sentences: Mapping[str, str]) -> None:
        self.sentences = sentences

    def __getitem__(self, name: str) -> click.Command:
        if name not in self.sentences:
            raise KeyError(name)
        command: click.Command = getattr(import_module(f"t1data.cli.{name}"), name)
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(self.sentences)

    def __len__(self) -> int:
        return len(self.sentences)


class Listing(click.Group):
    """A group of `Commands`. Importing all of them took 60 ms, four times the start of Python itself."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each command does, from its sentence."""
        assert isinstance(self.commands, Commands)
        with formatter.section("Commands"):
            formatter.write_dl(list(self.commands.sentences.items()))
