"""Numbers that a person types before something is lost: no default ever says yes."""

from __future__ import annotations

import sys

import click


def typed_number(given: int | None, *, question: str) -> int | None:
    """Return the number that was given as an option, or is typed now; None when nobody is there to type it.

    Parameters
    ----------
    given : int, optional
        From the command line.
    question : str
        What the number stands for.
    """
    if given is not None or not sys.stdin.isatty():
        return given
    answer: int = click.prompt(question, type=int, err=True)
    return answer
