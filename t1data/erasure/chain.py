"""Lines of JSON of which each seals the one before, so that none can be changed, taken out or moved unseen.

A line ends in ``"chain"``: the SHA-256 of the chain of the line before and of the line's own bytes up to there. Its
``"line"`` is its number. Whoever has the last chain, the *seal*, has all of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from t1data.errors import InputError

START = "0" * 64
_FORM = re.compile(rb'(\{.*),"chain":"([0-9a-f]{64})"\}\n', re.DOTALL)


def chained(records: Iterator[Mapping[str, Any]]) -> Iterator[bytes]:
    """Yield a line for each record.

    Examples
    --------
    >>> first, second = chained(iter([{"a": 1}, {"a": 2}]))
    >>> first[:20], second[:20]
    (b'{"line":1,"a":1,"cha', b'{"line":2,"a":2,"cha')
    """
    chain = START
    for number, record in enumerate(records, 1):
        text = json.dumps({"line": number, **record}, separators=(",", ":"), ensure_ascii=True)[:-1].encode()
        chain = _next(chain, text)
        yield b'%s,"chain":"%s"}\n' % (text, chain.encode())


def check_chain(path: Path) -> Iterator[tuple[dict[str, Any], str, str | None]]:
    """Yield each line's record, its chain, and in words what is wrong with it, if anything is.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    chain = START
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                record, chain, fault = _checked(line, number, chain)
                yield record, chain, fault
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None


def _checked(line: bytes, number: int, before: str) -> tuple[dict[str, Any], str, str | None]:
    match = _FORM.fullmatch(line)
    record = _parsed(line)
    if match is None or not record:
        return record, str(record.get("chain", before)), f"line {number} is not as evidence is written, or is cut"
    text, chain = match[1], match[2].decode()
    if record.get("line") != number:
        fault = f"line {number} says that it is line {record.get('line')}: lines were taken out, added or moved"
    elif chain != _next(before, text):
        fault = f"line {number} does not follow from the line before: it was changed, or that one was"
    else:
        return record, chain, None
    return record, chain, fault


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _next(chain: str, text: bytes) -> str:
    return sha256(chain.encode() + b"\n" + text).hexdigest()
