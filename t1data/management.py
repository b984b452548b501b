"""The few calls of the Management API that the jobs need."""

from __future__ import annotations

import csv
import io
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Self

from t1data.body import encode_query
from t1data.door import Door
from t1data.errors import AnswerError
from t1data.lock import LiveLock
from t1data.transport.key import ApiKey, as_key
from t1data.transport.operations import Operation
from t1data.transport.pace import Pacer
from t1data.transport.retry import Limits
from t1data.transport.transport import Answer
from t1data.transport.upload import MEMBER_COLUMN, form, member_file
from t1data.words import paragraph

Record = dict[str, Any]

_PAGE = 1000
_MEMBERS = "/v1/audiences/{audienceId}/memberships"

_ATTRIBUTES = Operation("list_attributes", "GET", "/v1/attributes", (200,), True)
_CREATE_ATTRIBUTE = Operation("create_attribute", "POST", "/v1/attributes", (200, 201), False)
_AUDIENCES = Operation("list_audiences", "GET", "/v1/audiences", (200,), True)
_LIST_MEMBERS = Operation("list_members", "GET", _MEMBERS, (200,), True)
_EXPORT_MEMBERS = Operation("export_members", "GET", f"{_MEMBERS}/export", (200,), True, content="csv")
# The file replaces the list, so a second one leaves what the first one left.
_IMPORT_MEMBERS = Operation("import_members", "POST", f"{_MEMBERS}/import", (200, 201, 204), True)
_APPLICATIONS = Operation("list_applications", "GET", "/v1/applications", (200,), True)
_CAMPAIGN = Operation("get_campaign", "GET", "/v1/applications/{applicationId}/campaigns/{campaignId}", (200,), True)
_REFERRALS = Operation(
    "list_referrals",
    "GET",
    "/v1/applications/{applicationId}/campaigns/{campaignId}/referrals/no_total",
    (200,),
    True,
)


class Management:
    """A connection to the Management API of one deployment, safe to share between threads.

    Parameters
    ----------
    base_url : str
        As for `Client`.
    management_key : str
        A key of the Management API; it lists the endpoints that it opens.
    rate : float or None, default 3
        Requests a second for each endpoint; three is what Talon.One allows.
    limits : Limits
        Attempts, waits, deadlines and sizes.
    lock : LiveLock, optional
        The lock of a live environment, shared with a client.

    Raises
    ------
    ConfigError
        The base URL or the key cannot be used.

    Examples
    --------
    >>> Management("https://shop.talon.one", "0123456789abcdef")
    Management(https://shop.talon.one, key …cdef)
    """

    def __init__(
        self,
        base_url: str,
        management_key: str | ApiKey,
        *,
        rate: float | None = 3,
        limits: Limits = Limits(),  # noqa: B008  (frozen)
        lock: LiveLock | None = None,
    ) -> None:
        self.base_url, self.key_hint = "", "…"  # for who draws a half-made one
        key = as_key(management_key, scheme="ManagementKey-v1")
        del management_key  # a traceback that shows locals must not show the key
        pacer = paced_by_endpoint(rate)
        self._door = Door(base_url, key, pacer=pacer, limits=limits, lock=lock or LiveLock(None))
        self.base_url, self.key_hint = self._door.url, key.hint

    def __repr__(self) -> str:
        return f"Management({self.base_url}, key {self.key_hint})"

    def _repr_html_(self) -> str:
        return paragraph(repr(self))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up idle connections."""
        self._door.close()

    def list_attributes(self, *, entity: str | None = None) -> list[Record]:
        """List the account's attribute definitions.

        Parameters
        ----------
        entity : str, optional
            Only those of one entity, ``"CustomerProfile"``.

        Returns
        -------
        list of dict
            Among others ``name``, ``entity``, ``type``.
        """
        return self._all(_ATTRIBUTES, query={"entity": entity})

    def create_attribute(self, body: Mapping[str, Any]) -> Record:
        """Define an attribute and return it; never repeated by itself.

        Parameters
        ----------
        body : mapping
            In the API's shape: ``entity``, ``name``, ``title``, ``type``, ``description``, ``suggestions``.
        """
        return _record(self._door.send(_CREATE_ATTRIBUTE, body=body))

    def list_audiences(self) -> list[Record]:
        """List the audiences, each with ``id`` and ``name``."""
        return self._all(_AUDIENCES)

    def list_members(self, audience_id: int) -> list[Record]:
        """List an audience's members as whole profiles, 1000 a request; for the ids alone see `export_members`."""
        return self._all(_LIST_MEMBERS, audience_id)

    def export_members(self, audience_id: int) -> list[str]:
        """Read the integration ids of an audience's members, in one request.

        Raises
        ------
        AnswerError
            The answer is not the CSV it should be; its bytes are kept on the error.
        """
        return _member_ids(self._door.send(_EXPORT_MEMBERS, [audience_id]))

    def import_members(self, audience_id: int, integration_ids: Iterable[str]) -> Record:
        """Replace an audience's members by these customers, in one request.

        Parameters
        ----------
        audience_id : int
            The audience.
        integration_ids : iterable of str
            All members that it shall have; those not named here are taken out.

        Returns
        -------
        dict
            The server's record of the import, ``amount`` among others.

        Raises
        ------
        InputError
            An id is no text or empty; nothing was sent.
        """
        boundary = secrets.token_hex(16)
        upload = form(member_file(integration_ids), boundary)
        kind = f"multipart/form-data; boundary={boundary}"
        return _record(self._door.send(_IMPORT_MEMBERS, [audience_id], body=upload, content_type=kind))

    def list_applications(self) -> list[Record]:
        """List the Applications, each with ``id`` and ``name``."""
        return self._all(_APPLICATIONS)

    def get_campaign(self, application_id: int, campaign_id: int) -> Record:
        """Return a campaign of an Application, ``id, name, state, features`` among others."""
        return _record(self._door.send(_CAMPAIGN, [application_id, campaign_id]))

    def list_referrals(
        self,
        application_id: int,
        campaign_id: int,
        *,
        advocate: str | None = None,
        code: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
    ) -> list[Record]:
        """List a campaign's referral codes, 1000 a request.

        Parameters
        ----------
        application_id, campaign_id : int
            Where to look.
        advocate : str, optional
            Only the codes of this customer.
        code : str, optional
            Only this code.
        created_after, created_before : datetime, optional
            Only codes made in this span; both need a zone.

        Raises
        ------
        InputError
            A time has no zone; nothing was sent.
        """
        query = {
            "advocate": advocate,
            "code": code,
            "created_after": created_after,
            "created_before": created_before,
        }
        return self._all(_REFERRALS, application_id, campaign_id, query=query)

    def _all(self, operation: Operation, *values: int, query: Mapping[str, Any] | None = None) -> list[Record]:
        found: list[Record] = []
        while True:
            page = {**(query or {}), "page_size": _PAGE, "skip": len(found)}
            answer = self._door.send(operation, values, query=encode_query(page))
            rows, more = _page(answer, len(found))
            found += rows
            if not more:
                return found


def paced_by_endpoint(rate: float | None, *, clock: Callable[[], float] = time.monotonic) -> Callable[[str], Pacer]:
    """Give each operation's name a pace of its own, always the same one."""
    return cache(lambda name: Pacer(rate, clock=clock))


def _record(answer: Answer) -> Record:
    record = answer.json()
    return record if isinstance(record, dict) else {}


def _page(answer: Answer, before: int) -> tuple[list[Record], bool]:
    """Take the rows of one page, and tell whether there are more."""
    page = answer.json()
    rows = page.get("data") if isinstance(page, dict) else None
    if not isinstance(rows, list):
        raise _unreadable(answer, "holds no list of data")
    total = page.get("totalResultSize")
    more = page.get("hasMore", before + len(rows) < total if isinstance(total, int) else len(rows) >= _PAGE)
    return rows, bool(more) and bool(rows)


def _member_ids(answer: Answer) -> list[str]:
    try:
        text = answer.body.decode("utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except (UnicodeDecodeError, csv.Error):
        rows = []
    if not rows or rows[0] != [MEMBER_COLUMN] or any(len(row) != 1 for row in rows):
        raise _unreadable(answer, f"is no CSV with the one column {MEMBER_COLUMN}")
    return [row[0] for row in rows[1:]]


def _unreadable(answer: Answer, what: str) -> AnswerError:
    return AnswerError(
        f"{answer.operation}: the answer {what}; nothing was read.",
        operation=answer.operation,
        status=answer.status,
        body=answer.body,
        attempts=answer.attempts,
    )
