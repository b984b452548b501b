"""Bytes in, values out, and back: strict JSON, forms with a file, headers, the shape of an error."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

from t1data.sandbox.core import Refusal, Reply, dump, parse

_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d*)?", re.IGNORECASE | re.ASCII)
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True)
class Answer:
    """A response, ready for the wire."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def answer_reply(reply: Reply) -> Answer:
    """Return the response for what a handler said."""
    if reply.text is not None:
        return Answer(reply.status, reply.text.encode(), {"content-type": reply.media_type})
    if reply.body is None:
        return Answer(reply.status)
    return answer_json(reply.status, reply.body)


def answer_refusal(refusal: Refusal, headers: Mapping[str, str] | None = None) -> Answer:
    """Return the response for a no, in Talon.One's own error shape."""
    body = {"message": refusal.message, "errors": refusal.errors, "StatusCode": refusal.status}
    return answer_json(refusal.status, body, headers)


def answer_json(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """Return a response that carries `body` as JSON."""
    return Answer(status, dump(body).encode(), {"content-type": "application/json", **(headers or {})})


def parse_json(body: bytes) -> Any:
    """Read one JSON document, and refuse what JSON does not allow although Python would take it.

    Raises
    ------
    Refusal
        400 for anything that is not strict JSON in UTF-8.
    """
    try:
        value = parse(body.decode())
        if _ESCAPED_SURROGATE.search(body):
            json.dumps(value, ensure_ascii=False, default=str).encode()
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"The body is not valid JSON: {_reason(error)}") from None
    return value


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeError):
        return "it is not Unicode text in UTF-8"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def parse_query(query: bytes) -> dict[str, str]:
    """Return the last value of each parameter."""
    try:
        return dict(parse_qsl(query.decode(), keep_blank_values=True, errors="strict", max_num_fields=1000))
    except ValueError:
        raise Refusal(400, "The query is not valid") from None


def parse_form(body: bytes, content_type: str) -> dict[str, bytes]:
    """Return the content of each field of a ``multipart/form-data`` body, a file or not, by its name."""
    boundary = _parameter(content_type, "content-type", "boundary")
    if not boundary:
        raise Refusal(400, "The form has no boundary")
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    if len(parts) < 3 or not parts[-1].startswith(b"--"):
        raise Refusal(400, "The form is not complete")
    return dict(_field(part) for part in parts[1:-1])


def _field(part: bytes) -> tuple[str, bytes]:
    head, gap, content = part.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    disposition = next((line for line in lines if line.lower().startswith("content-disposition:")), "")
    name = _parameter(disposition.partition(":")[2].strip(), "content-disposition", "name")
    if not gap or not name:
        raise Refusal(400, "A field of the form has no name or no content")
    return name, content


def _parameter(value: str, header: str, name: str) -> str:
    message = Message()
    message[header] = value
    found = message.get_param(name, "", header)
    return found if isinstance(found, str) else ""


def media_type(content_type: str) -> str:
    """Return the type alone, without parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def check_content(content_type: str, *, multipart: bool) -> None:
    """Refuse a body that does not say it is JSON (or a form, where a file is wanted).

    A page of another origin may send text/plain or a form without asking first; JSON it may not.
    """
    wanted = "multipart/form-data" if multipart else "application/json"
    if media_type(content_type) != wanted:
        raise Refusal(415, f"The body must be {wanted}")


def check_host(host: str) -> None:
    """Refuse a name that is not loopback: a page of another site could have pointed its own name here."""
    if not _LOOPBACK.fullmatch(host):
        raise Refusal(403, "This sandbox answers to loopback addresses only")


def check_key(authorization: str, scheme: str, key: str) -> None:
    """Refuse a request without the right key; compared in constant time."""
    if not hmac.compare_digest(authorization.encode("latin-1"), f"{scheme} {key}".encode()):
        raise Refusal(401, "Invalid API key")
