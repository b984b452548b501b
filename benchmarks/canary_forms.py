"""A key and persons that nobody has, and the forms in which their bytes can hide."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

KEY = "t1canary-5f0c9be2a7d84c31+/=xq"
MANAGEMENT_KEY = "t1canary-mgmt-b84e1170cc2e4f"
IDS = tuple(f"id-canary-{number}-9d27Ż/é" for number in range(1, 7))
NAMES = tuple(f'Zoë "Quill" Canary-{number}-83f1' for number in range(1, 7))
EMAILS = tuple(f"canary.{number}.83f1@nobody.example" for number in range(1, 7))
PERSONS = (*IDS, *NAMES, *EMAILS)


def _base64(secret: bytes, shift: int) -> bytes:
    """Return the part of the base64 form that stays the same whatever stands before and after."""
    whole = base64.b64encode(b"x" * shift + secret)
    return whole[4 * (shift > 0) : 4 * ((shift + len(secret)) // 3)]


def _escaped(secret: str) -> bytes:
    return "".join(f"\\u{ord(sign):04x}" for sign in secret).encode()


FORMS: dict[str, Callable[[str], bytes]] = {
    "as it is": str.encode,
    "base64": lambda secret: _base64(secret.encode(), 0),
    "base64, one byte in": lambda secret: _base64(secret.encode(), 1),
    "base64, two bytes in": lambda secret: _base64(secret.encode(), 2),
    "URL-encoded": lambda secret: quote(secret, safe="").encode(),
    "URL-encoded but for slashes": lambda secret: quote(secret).encode(),
    "escaped as in JSON": lambda secret: json.dumps(secret)[1:-1].encode(),
    "escaped sign by sign": _escaped,
    "as a Python literal": lambda secret: repr(secret)[1:-1].encode(),
    "UTF-16": lambda secret: secret.encode("utf-16-le"),
    "UTF-16, big end first": lambda secret: secret.encode("utf-16-be"),
    "backwards": lambda secret: secret[::-1].encode(),
    "hex": lambda secret: secret.encode().hex().encode(),
    "HEX": lambda secret: secret.encode().hex().upper().encode(),
}


def sightings(content: bytes, secret: str) -> list[str]:
    """Return the forms of a secret that stand in some bytes."""
    return [name for name, form in FORMS.items() if form(secret) in content]
