"""What an exchange means: the answer of an operation that is done, or the right error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from t1data import errors
from t1data.transport.operations import Operation
from t1data.transport.retry import Exchange, Failure, asked_wait

_JSON = re.compile(r"\s*application/(?:[\w.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)
_HTML = re.compile(r"\s*(?:text/html|application/xhtml\+xml)\s*(?:;.*)?", re.IGNORECASE)
_LONGEST_MESSAGE = 500


@dataclass(frozen=True)
class Answer:
    """The server's answer to an operation that is done.

    Parameters
    ----------
    status : int
        The HTTP status.
    headers : mapping of str to str
        Names in lower case.
    body : bytes
        As received, after decompression.
    attempts : int
        How many times the request went out.
    seconds : float
        How long the last attempt took.
    waited : float
        Seconds spent in waits between attempts.
    operation : str
        The operation's name.
    warning : str
        What is odd about the answer, though it counts.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    attempts: int = 1
    seconds: float = 0.0
    waited: float = 0.0
    operation: str = ""
    warning: str = ""

    def json(self) -> Any:
        """Parse the body; None when it is empty. Numbers with a point become float.

        Raises
        ------
        AnswerError
            The body is no JSON. It is kept on the error.
        """
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            pass  # and raise outside: the parser's error holds the document
        raise errors.AnswerError(
            f"{self.operation} was done (status {self.status}), but its answer is no JSON; the bytes are kept.",
            operation=self.operation,
            status=self.status,
            body=self.body,
            attempts=self.attempts,
        )


def without_key(exchange: Exchange, redact: Callable[[bytes], bytes]) -> Exchange:
    """Take the key out of all that a server sent: what it sent ends up in messages, journals and error reports."""
    body, said = redact(exchange.body), "\n".join(exchange.headers.values()).encode()
    if body == exchange.body and redact(said) == said:  # nearly always, and one look at all headers is enough
        return exchange
    headers = {name: redact(value.encode()).decode() for name, value in exchange.headers.items()}
    return replace(exchange, headers=headers, body=body)


def is_done(operation: Operation, exchange: Exchange, *, silent: bool = True) -> bool:
    """Tell whether an exchange is the success that the operation's facts describe.

    Where the answer is what was asked for, an empty one is none, whatever its status: the codes are made, and
    nobody has them. That is so for an operation that never answers 204, and for one asked not to be `silent`.
    """
    if exchange.failure is not None or exchange.status not in operation.success:
        return False
    if exchange.status != 204 and not content_fits(operation.content, exchange.headers):
        return False
    return bool(exchange.body) or operation.content != "json" or (silent and 204 in operation.success)


_BODY_FAILED = (Failure.CUT, Failure.TOO_BIG, Failure.GARBLED)


def by_its_head(operation: Operation, exchange: Exchange, *, silent: bool = True) -> Exchange:
    """Take an answer whose body broke for a whole one, where its head is all that counts: rules C6, C10 and P3.

    That is so for an operation that has nothing to bring home, once its 204, or its 200 with JSON, is in. All others:

    - What must not be repeated makes something, and the body names it: half of it is kept, and the rest is in doubt.
    - A body that brings goods (a customer's inventory) is asked for again.
    - A 201 is no answer to a silent upsert that anybody promised, so it counts only when it is whole.
    - At the deadline an answer is not taken by its head (rule C9): the server is not through with it.

    Examples
    --------
    >>> from t1data.transport.operations import OPERATIONS
    >>> cut = Exchange(Failure.CUT, 200, {"content-type": "application/json"}, b'{"customerPro')
    >>> by_its_head(OPERATIONS["update_customer_profiles_v2"], cut).warning
    'the answer was cut short, after a head that says that it is done'
    """
    needs_no_body = operation.repeatable and silent and 204 in operation.success
    said_done = exchange.status == 204 or (exchange.status == 200 and content_fits(operation.content, exchange.headers))
    if exchange.failure not in _BODY_FAILED or not (needs_no_body and said_done):
        return exchange
    warning = f"{exchange.failure.value}, after a head that says that it is done"
    return replace(exchange, failure=None, body=b"", warning=warning)


def content_fits(content: str, headers: Mapping[str, str]) -> bool:
    """Tell whether the content type is the one asked for, and no page that a proxy has put in its place."""
    kind = headers.get("content-type", "")
    return bool(_JSON.fullmatch(kind)) if content == "json" else not _HTML.fullmatch(kind)


_BY_STATUS: dict[int, type[errors.RequestError]] = {
    401: errors.AuthError,
    403: errors.AuthError,
    404: errors.NotFoundError,
    408: errors.ServerError,
    409: errors.ConflictError,
    413: errors.TooLargeError,
    414: errors.TooLargeError,
    421: errors.ServerError,
    423: errors.ServerError,
    425: errors.ServerError,
    429: errors.RateLimitedError,
}
_BY_FAILURE: dict[Failure, type[errors.RequestError]] = {
    Failure.CONNECT: errors.ConnectError,
    Failure.CERTIFICATE: errors.CertificateError,
    Failure.TOO_BIG: errors.AnswerError,
}
# What these say holds for the body whenever it is sent, so for an earlier attempt too.
_FINAL = (errors.BadRequestError, errors.TooLargeError, errors.CertificateError)

_LOOK_FIRST = "it may have been applied: look before it is sent again"
_ADVICE: dict[type[errors.RequestError], str] = {
    errors.ConnectError: "check the base URL's host and port, the proxy if there is one, and the network",
    errors.CertificateError: "check the host name; own root certificates go into REQUESTS_CA_BUNDLE or SSL_CERT_FILE",
    errors.BadRequestError: "correct what the server names",
    errors.AuthError: "check that the key is right, not expired, and of this environment (live or sandbox)",
    errors.NotFoundError: "check the id or code, and the base URL",
    errors.ConflictError: "send requests for one customer one after another, or see whether it exists already",
    errors.TooLargeError: "send fewer rows in one request",
    errors.RateLimitedError: "wait, then go on at a lower rate",
    errors.RedirectError: "set the base URL to the right host; redirects are never followed",
}


def error_for(
    operation: Operation, exchange: Exchange, *, attempts: int, doubt: bool, why: str = ""
) -> errors.RequestError:
    """Make the error for an exchange that is not a success.

    Parameters
    ----------
    operation : Operation
        What was asked.
    exchange : Exchange
        What the last attempt brought.
    attempts : int
        How many attempts there were.
    doubt : bool
        Whether an earlier attempt may have been applied: then no later "not sent" or "refused" can clear it.
    why : str
        Why it is not tried again.
    """
    kind = error_class(exchange)
    told = kind if not doubt or issubclass(kind, (errors.InDoubtError, *_FINAL)) else errors.NoAnswerError
    message = _message(operation, exchange, kind=kind, advice=_advice(operation, told), attempts=attempts, why=why)
    return told(
        message,
        operation=operation.name,
        status=exchange.status,
        body=exchange.body,
        problems=_problems(exchange.body),
        attempts=attempts,
        retry_after=asked_wait(exchange.headers),
    )


def _advice(operation: Operation, kind: type[errors.RequestError]) -> str:
    doubtful = _LOOK_FIRST if operation.writes else "nothing was to be changed: try again later"
    return _ADVICE.get(kind, doubtful)


def error_class(exchange: Exchange) -> type[errors.RequestError]:
    """Find the class of error, by failure first and by status else."""
    if exchange.failure is not None:
        return _BY_FAILURE.get(exchange.failure, errors.NoAnswerError)
    status = exchange.status or 0
    if 300 <= status <= 399 and "location" in exchange.headers:
        return errors.RedirectError
    if 500 <= status <= 599:
        return errors.ServerError
    # 418 is nobody's earnest answer: who says it stands between, and what became of the request is not known.
    unnamed = errors.BadRequestError if 400 <= status <= 499 and status != 418 else errors.AnswerError
    return _BY_STATUS.get(status, unnamed)


def _message(
    operation: Operation, exchange: Exchange, *, kind: type[Exception], advice: str, attempts: int, why: str
) -> str:
    tries = f" after {attempts} attempts" if attempts > 1 else ""
    reason = f" ({why})" if why else ""
    return f"{operation.name}: {_what_happened(exchange, kind)}{tries}{reason}; {advice}."


def _what_happened(exchange: Exchange, kind: type[Exception]) -> str:
    if exchange.failure is not None:
        return exchange.failure.value
    if kind is errors.RedirectError:
        return f"status {exchange.status} redirects to {_host_of(exchange.headers['location'])}"
    if kind is errors.AnswerError:
        return _odd_answer(exchange)
    said = server_message(exchange.body)
    return f'status {exchange.status}, "{said}"' if said else f"status {exchange.status}"


def _odd_answer(exchange: Exchange) -> str:
    kind = exchange.headers.get("content-type", "")
    if _HTML.fullmatch(kind):
        return f"a proxy answered with a page of its own (status {exchange.status})"
    if exchange.status in (200, 201, 204) and not exchange.body:
        return f"done (status {exchange.status}), but without the content that was asked for"
    return f"status {exchange.status} with content {printable(kind, 80) or 'of no type'} is no answer to it"


def _host_of(location: str) -> str:
    try:
        return printable(urlsplit(location).hostname or "the same host", 100)
    except ValueError:
        return "a place that cannot be read"


def server_message(body: bytes) -> str:
    """Take the server's own message out of an error body: one line, at most 500 characters, nothing hidden."""
    found = _error_body(body)
    message = found.get("message") or found.get("Error") or ""
    return printable(message, _LONGEST_MESSAGE) if isinstance(message, str) else ""


def _problems(body: bytes) -> list[dict[str, Any]]:
    found = _error_body(body).get("errors")
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _error_body(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def printable(text: str, longest: int) -> str:
    """Cut a foreign text and escape what a terminal would obey.

    Examples
    --------
    >>> printable("no\\x1b[31m way", 100)
    'no\\\\x1b[31m way'
    """
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
