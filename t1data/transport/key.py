"""The holder of an API key: it can be used, and it cannot be shown."""

from __future__ import annotations

import hashlib
import hmac
import re
import string
from collections.abc import Callable
from typing import NoReturn

from t1data.errors import ConfigError

_ALLOWED = frozenset(string.ascii_letters + string.digits + string.punctuation)
_SHORTEST = 12  # real keys are far longer
_REDACTED = "…".encode()
_ESCAPED_ASCII = re.compile(rb"\\u00[2-7]")


class ApiKey:
    """A key that no repr, format, copy, pickle, JSON or debugger view gives away.

    The text lives in a closure and not in an attribute, because tools that draw objects (debuggers,
    ``rich.inspect``, widget states) walk attributes.

    Parameters
    ----------
    text : str
        The key as Talon.One shows it once, without the scheme.
    scheme : str, default ``"ApiKey-v1"``
        What stands before the key in the header; ``"ManagementKey-v1"`` for the Management API.

    Examples
    --------
    >>> ApiKey("0123456789abcdef")
    ApiKey(…cdef)
    """

    __slots__ = ("_fault", "_reveal", "hint")

    hint: str
    _reveal: Callable[[], str]

    def __init__(self, text: str, *, scheme: str = "ApiKey-v1") -> None:
        self._fault = _fault(text)
        self.hint = f"…{text[-4:]}" if not self._fault and len(text) >= _SHORTEST else "…"
        self._reveal = lambda: f"{scheme} {text}"

    def check(self) -> None:
        """Refuse a text that no key is; apart from the making, so that no frame on the way holds the text.

        Raises
        ------
        ConfigError
            It is empty, or holds a space, a control character or anything else that no key has.
        """
        if self._fault:
            raise ConfigError(f"The API key {self._fault}.")

    def header(self) -> str:
        """Give the value of the ``Authorization`` header; call it as late as can be and keep nothing."""
        return self._reveal()

    def redact(self, content: bytes) -> bytes:
        """Take the key out of what a server sent, for some servers repeat what they were sent.

        JSON may escape any character, and some writers of it do, so the key is found in that spelling too. A key
        shorter than real ones stays: what it is made of can be part of any word of a customer's data.
        """
        key = self._reveal().partition(" ")[2]
        if len(key) < _SHORTEST:
            return content
        plain = content.replace(key.encode(), _REDACTED)
        # Any other spelling has a backslash in it. To look for all of them takes 0.2 ms for 5 KB.
        if b"\\" not in plain or (key.isalnum() and not _ESCAPED_ASCII.search(plain)):
            return plain
        return re.sub(_any_spelling(key), _REDACTED, plain)

    def fingerprint(self, salt: bytes) -> str:
        """Give a salted digest, by which two runs can tell that they used the same key.

        Examples
        --------
        >>> ApiKey("0123456789abcdef").fingerprint(b"salt")[:8]
        '6c9f046a'
        """
        return hmac.new(salt, self._reveal().encode(), hashlib.sha256).hexdigest()

    def __repr__(self) -> str:
        return f"ApiKey({self.hint})"

    def __copy__(self) -> ApiKey:
        return self

    def __deepcopy__(self, memo: object) -> ApiKey:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("An API key is never pickled; give it again where it is needed.")


def as_key(key: str | ApiKey, *, scheme: str = "ApiKey-v1") -> ApiKey:
    """Put a key into its holder, unless it is in one already."""
    return key if isinstance(key, ApiKey) else ApiKey(key, scheme=scheme)


def _any_spelling(key: str) -> bytes:
    return "".join(rf"(?:\\?{re.escape(char)}|\\u(?i:{ord(char):04x}))" for char in key).encode()


def _fault(text: object) -> str | None:
    if not isinstance(text, str):
        return f"must be text, not {type(text).__name__}"
    if not text:
        return "is empty"
    if not _ALLOWED.issuperset(text):
        return "holds a space or another character that no key has; it may not have been copied whole and alone"
    return None
