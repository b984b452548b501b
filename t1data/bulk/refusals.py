"""The words for what the server refused, with the customer's values masked, since these words are written down."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from t1data.errors import (
    AnswerError,
    ConflictError,
    NoAnswerError,
    NotFoundError,
    RefusedError,
    RequestError,
    ServerError,
    TooLargeError,
)

MASK = "…"
LONGEST = 500
_TELLING = 3  # fewer characters of a value that was cut tell nothing of it

_REASONS: tuple[tuple[type[RequestError], str], ...] = (
    (ConflictError, "conflict"),
    (NotFoundError, "not_found"),
    (TooLargeError, "too_large"),
    (RefusedError, "refused_by_server"),
    (AnswerError, "unreadable_answer"),
    (ServerError, "server_error"),
    (NoAnswerError, "no_answer"),
)


def reason_of(error: RequestError) -> str:
    """Return the reason code of an outcome that came from `error`."""
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), "not_sent")


def is_of_api(body: bytes) -> bool:
    """Return whether a refusal reads like Talon.One's own, and not like the page of a server that is not Talon.One."""
    try:
        said = json.loads(body)
    except ValueError:
        return False
    return isinstance(said, dict) and "message" in said


def said_of_rows(error: RefusedError, pieces: bytes, *named: str | None) -> tuple[str | None, str]:
    """Return the field and the words with which the server refused some rows, the rows' own values masked.

    Parameters
    ----------
    error : RefusedError
        What came back when just these rows were sent.
    pieces : bytes
        The rows as they were sent: JSON values, each with a comma after it.
    *named : str or None
        What else the request said of them, such as the id in its path.
    """
    if not error.problems:
        return None, mask(str(error), pieces, *named)[:LONGEST]
    first = error.problems[0]
    words = ": ".join(str(first[key]) for key in ("title", "details") if first.get(key))
    return _field(first), mask(words or str(error), pieces, *named)[:LONGEST]


def hopeless(words: str) -> str:
    """Return why a run stops whose rows are all refused with the same (masked) `words`."""
    return (
        f"every row was refused with the same words, so it is the mapping or the account, not the rows: {words};"
        " mend that and resume"
    )


def mask(words: str, pieces: bytes, *named: str | None) -> str:
    """Return `words` with every value of the rows, and of what names them, replaced.

    A server may say a value back as it is or as JSON writes it, and long words end in the middle of one.

    Examples
    --------
    >>> mask('no "Ada", no Ad…', b'{"Name":"Ada"},')
    'no "…", no …'
    """
    rows = json.loads(b"[" + pieces.rstrip(b",") + b"]", parse_float=str, parse_int=str)
    values = {form for value in {*_values(rows), *filter(None, named)} for form in _forms(value)}
    for value in sorted((value for value in values if value in words), key=len, reverse=True):
        words = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", MASK, words)
    return _without_broken_off(words, values)


def _forms(value: str) -> set[str]:
    """Return how a value may stand in an answer: as it is, and as JSON writes it."""
    return {form for form in (value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]) if form}


def _without_broken_off(words: str, values: set[str]) -> str:
    """Take away the beginning of a value with which words that were cut end."""
    told, cut, after = words.rpartition(MASK)
    begun = max((_begun(told, value) for value in values), default=0) if cut else 0
    return f"{told[:-begun]}{cut}{after}" if begun else words


def _begun(told: str, value: str) -> int:
    """Return how many characters of a value these words end with; fewer than `_TELLING` tell nothing."""
    tail = told[-len(value) :]
    at = tail.find(value[:_TELLING])
    while at >= 0 and not value.startswith(tail[at:]):
        at = tail.find(value[:_TELLING], at + 1)
    return len(tail) - at if at >= 0 and len(tail) - at >= _TELLING else 0


def _values(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, list):
        for item in found:
            yield from _values(item)
    elif found is not None and not isinstance(found, bool):
        yield str(found)


def _field(problem: dict[str, Any]) -> str | None:
    """Return the attribute or field that a pointer ends in."""
    source = problem.get("source")
    pointer = source.get("pointer") if isinstance(source, dict) else None
    if not isinstance(pointer, str) or "/" not in pointer:
        return None
    last = pointer.rsplit("/", 1)[1].replace("~1", "/").replace("~0", "~")
    return last if last and not last.isdigit() else None
