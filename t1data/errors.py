"""Every exception that t1data raises, as one tree.

::

    T1DataError
    ├── InputError               the file, frame, mapping or argument cannot be used; nothing was sent
    ├── ConfigError              the base URL, key or named environment cannot be used; nothing was sent
    ├── JournalError             the durable record cannot be written, read or resumed; nothing more is sent
    ├── RunFailed                raised on request by ``run.raise_for_failures()``
    └── RequestError             one request did not end in success
        ├── NotSentError         certainly not applied: no request reached the server
        │   ├── ConnectError         no connection: name, port, TLS handshake, time-out while connecting
        │   ├── CertificateError     the server's certificate does not hold; never repeated
        │   └── StoppedError         the caller asked to stop before the request went out
        ├── RefusedError         the server's clear no; it changed nothing
        │   ├── BadRequestError      400 and other 4xx without a class of their own
        │   ├── AuthError            401, 403: the key is wrong, expired or from the other environment
        │   ├── NotFoundError        404
        │   ├── ConflictError        409
        │   ├── TooLargeError        413, 414
        │   ├── RateLimitedError     429, still so after every retry that the limits allow
        │   └── RedirectError        3xx: redirects are never followed
        └── InDoubtError         sent, and no clear answer: it may have been applied
            ├── NoAnswerError        time-out, reset or a cut answer
            ├── ServerError          5xx, and 408, 421, 423, 425: who says so may stand between, and not know
            └── AnswerError          a 2xx whose content cannot be what was asked for, or a status of no class

The split that matters to a caller who wants to try again is the one below `RequestError`: after a
`NotSentError` or a `RefusedError` a repeat cannot do anything twice, after an `InDoubtError` it can,
unless the operation is repeatable.
"""

from __future__ import annotations

from typing import Any


class T1DataError(Exception):
    """Base of all exceptions of t1data."""


class InputError(T1DataError, ValueError):
    """The file, frame, mapping or argument cannot be used; nothing was sent."""


class ConfigError(T1DataError, ValueError):
    """The base URL, key or named environment cannot be used; nothing was sent."""


class JournalError(T1DataError, RuntimeError):
    """The durable record of a run cannot be written, read or resumed; nothing more is sent."""


class RunFailed(T1DataError):
    """Some rows of a run were not accepted; see ``run.failures``."""


class RequestError(T1DataError):
    """One request did not end in success.

    Parameters
    ----------
    message : str
        What happened and what to do, without key, ids or values.
    operation : str
        The operation in snake case, ``"update_customer_profiles_v2"``.
    status : int, optional
        The HTTP status, when there was an answer.
    body : bytes
        The answer's body as far as it was read. Kept, because it can hold codes; never part of the message.
    problems : list of dict
        ``errors`` of the answer in the API's own shape (``title``, ``details``, ``source``), when it had any.
    attempts : int
        How many times the request went out.
    retry_after : float, optional
        Seconds that the server asked to wait, when it did.
    """

    def __init__(
        self,
        message: str,
        *,
        operation: str = "",
        status: int | None = None,
        body: bytes = b"",
        problems: list[dict[str, Any]] | None = None,
        attempts: int = 0,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.status = status
        self.body = body
        self.problems = problems or []
        self.attempts = attempts
        self.retry_after = retry_after


class NotSentError(RequestError):
    """Certainly not applied: no request reached the server."""


class ConnectError(NotSentError, ConnectionError):
    """No connection: name, port, TLS handshake, or a time-out while connecting."""


class CertificateError(NotSentError):
    """The server's certificate does not hold. Verification cannot be switched off."""


class StoppedError(NotSentError):
    """The caller asked to stop before the request went out."""


class RefusedError(RequestError):
    """The server's clear no; it changed nothing."""


class BadRequestError(RefusedError):
    """400, and other 4xx without a class of their own."""


class AuthError(RefusedError, PermissionError):
    """401 or 403: the key is wrong, expired or from the other environment."""


class NotFoundError(RefusedError, LookupError):
    """404: the path or the id is not known."""


class ConflictError(RefusedError):
    """409: too many requests for one profile or session, or the thing exists already."""


class TooLargeError(RefusedError):
    """413 or 414: the request is larger than the server takes."""


class RateLimitedError(RefusedError):
    """429, still so after every retry that the limits allow; `retry_after` says when to come back."""


class RedirectError(RefusedError):
    """A redirect. They are never followed, since that would hand customers' data to another host."""


class InDoubtError(RequestError):
    """Sent, and no clear answer: it may have been applied."""


class NoAnswerError(InDoubtError):
    """A time-out, a reset or a cut answer."""


class ServerError(InDoubtError):
    """A 5xx, 408, 421, 423 or 425: a gateway may say so after the change was made."""


class AnswerError(InDoubtError):
    """A 2xx whose content cannot be what was asked for, such as a proxy's page."""
