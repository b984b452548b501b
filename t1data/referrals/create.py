"""Plan and create referral codes for many advocates; no code is lost, and none is made twice without being told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from t1data.bulk.named import path_of
from t1data.bulk.progress import Control, Progress
from t1data.bulk.run import Going
from t1data.client import Client
from t1data.errors import InputError, NotFoundError, RequestError
from t1data.journal.runs import Run
from t1data.management import Management
from t1data.referrals.plan import ReferralPlan
from t1data.referrals.planning import make_plan
from t1data.referrals.prepare import Advocates, Duplicates, Options, prepare, read_catalogue
from t1data.referrals.send import MANY, send
from t1data.referrals.terms import Moment, Terms
from t1data.referrals.terms import now as clock


def plan_referrals(
    client: Client,
    advocates: Any,
    *,
    campaign_id: int,
    usage_limit: int | None = None,
    start_date: Moment = None,
    expiry_date: Moment = None,
    attributes: Mapping[str, Any] | None = None,
    pattern: str | None = None,
    valid_characters: Sequence[str] | None = None,
    advocate: str = "integration_id",
    friend: str = "friend_integration_id",
    duplicates: Duplicates = "each",
    types: Mapping[str, str] | None = None,
    tz: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    allow_suspect_ids: bool = False,
) -> ReferralPlan:
    """Return what `create_referrals` would do with the same arguments; no code is made.

    Parameters
    ----------
    client : Client
        Its pace gives the time. With a management key, attributes are held against the account's.
    advocates, campaign_id, ... :
        As for `create_referrals`.

    Returns
    -------
    ReferralPlan
        Rows, problems, requests, seconds, the terms; printed, it says so in words.

    Raises
    ------
    InputError
        The input or the terms as a whole cannot be used.

    Examples
    --------
    >>> client = Client("http://127.0.0.1:9", "a-key-of-16-letters")
    >>> plan_referrals(client, ["ada", "grace", "ada"], campaign_id=45)
    <ReferralPlan Table: 3 codes for 3 rows in 1 request, 0 invalid>
    """
    terms = Terms(campaign_id, usage_limit, start_date, expiry_date, attributes, pattern, valid_characters)
    options = Options(advocate, friend, duplicates, types, tz, allow_suspect_ids, encoding, delimiter, sheet)
    return make_plan(client, _prepared(client, advocates, terms, options))


def create_referrals(
    client: Client,
    advocates: Any,
    *,
    campaign_id: int,
    usage_limit: int | None = None,
    start_date: Moment = None,
    expiry_date: Moment = None,
    attributes: Mapping[str, Any] | None = None,
    pattern: str | None = None,
    valid_characters: Sequence[str] | None = None,
    advocate: str = "integration_id",
    friend: str = "friend_integration_id",
    duplicates: Duplicates = "each",
    types: Mapping[str, str] | None = None,
    tz: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    allow_suspect_ids: bool = False,
    journal: str | Path | None = None,
    connections: int = 4,
    progress: bool | Callable[[Progress], None] | None = None,
    control: Control | None = None,
    resend_in_doubt: bool = False,
) -> Run:
    """Create a referral code for each row, up to 1000 a request; the codes are in ``run.codes``.

    This cannot be repeated: each request makes new codes. So a request whose answer was lost is not sent again; its
    rows are ``in_doubt`` until `reconcile` has looked on the server, or until you say `resend_in_doubt`. Every answer
    is kept, as it came, before it is read. The campaign's own referral limits do not count for codes made this way.

    Columns named ``usage_limit``, ``start_date``, ``expiry_date``, ``pattern`` and ``valid_characters`` give each row
    terms of its own, and so do columns of attributes: ``attributes.<name>``, or one column ``attributes`` of JSON
    objects. What a column says, an argument may not say too. Rows of the same terms share requests. A row that names
    a friend has a request of its own; only that friend can use its code, and it takes no pattern.

    Parameters
    ----------
    client : Client
        Where to, with which key, at what pace. With a management key, attributes are held against the account's.
    advocates : path, DataFrame, Series, list of str, or anything with an Arrow stream
        One row a code.
    campaign_id : int
        A campaign with the referral feature.
    usage_limit : int, optional
        How often a code may be used, 0 to 999,999; 0 is without limit. 1 where nothing is said.
    start_date, expiry_date : datetime or str, optional
        With a zone. Without an expiry date a code never expires.
    attributes : mapping, optional
        Of each referral.
    pattern : str, optional
        4 to 100 characters; each ``#`` becomes a random one.
    valid_characters : sequence of str, optional
        From which the random ones are drawn; A-Z and 0-9 by default.
    advocate : str
        The column of the advocates' ids.
    friend : str
        The column of the friends' ids, when there is one; an empty cell is no friend.
    duplicates : {"each", "first", "last", "reject"}
        An advocate who stands in several rows gets a code for each of them. With the others an advocate gets one
        code: rows that say the same collapse, and of rows that contradict each other the first, the last or none
        counts.
    types : mapping, optional
        Column → type, for columns of attributes; needed for text files where cells are not what they look like.
    tz : str, optional
        The zone of times in columns that name none, such as ``"Europe/Berlin"``.
    encoding, delimiter, sheet : str, optional
        How a text file is read; which sheet of a workbook.
    allow_suspect_ids : bool
        Send ids that look as if a spreadsheet had damaged them.
    journal, connections, progress, control :
        As for `upsert_profiles`.
    resend_in_doubt : bool
        On a resume, send again what is in doubt: advocates whose codes were made will have two.

    Returns
    -------
    Run
        ``run.codes`` has one line a code: ``integration_id, code, friend_integration_id, referral_id, …``.

    Raises
    ------
    InputError, ConfigError, JournalError
        Before anything is sent.

    Examples
    --------
    >>> import t1data as t1
    >>> with t1.Sandbox(seed=1) as sandbox:
    ...     sandbox.load({"campaigns": [{"id": 45, "name": "Friends", "features": ["referrals"]}]})
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key)
    ...     run = t1.create_referrals(client, ["ada", "grace"], campaign_id=45)
    >>> run.codes["integration_id"].tolist()
    ['ada', 'grace']
    """
    terms = Terms(campaign_id, usage_limit, start_date, expiry_date, attributes, pattern, valid_characters)
    options = Options(advocate, friend, duplicates, types, tz, allow_suspect_ids, encoding, delimiter, sheet)
    client.check_unlocked(MANY)
    prepared = _prepared(client, advocates, terms, options)
    client.reach()
    recipe = {"path": path_of(advocates), "options": asdict(options), "began": prepared.now.isoformat()}
    going = Going(journal, progress, control, resend_in_doubt=resend_in_doubt)
    return send(client, prepared, prepared.facts() | {"recipe": recipe}, going=going, connections=connections)


def _prepared(client: Client, advocates: Any, terms: Terms, options: Options) -> Advocates:
    now = clock()
    terms.check(now=now)
    prepared = prepare(advocates, terms, options, now=now, catalogue=lambda: read_catalogue(client))
    prepared.check_room()
    check_campaign(client, terms.campaign_id)
    return prepared


def check_campaign(client: Client, campaign_id: int) -> None:
    """Refuse a campaign that gives no codes, where the account can be asked: with a management key that may look."""
    if client.management is None:
        return
    try:
        places = client.management.list_applications()
        found = [campaign for place in places if (campaign := _campaign(client.management, place["id"], campaign_id))]
    except (
        RequestError
    ):  # the key opens other doors, or nobody answers: the server itself will say, when codes are made
        return
    if places and not found:
        raise InputError(f"campaign_id: the account has no campaign {campaign_id}")
    if found and "referrals" not in found[0].get("features", ["referrals"]):
        raise InputError(f"campaign_id: campaign {campaign_id} ({found[0].get('name')}) does not give referral codes")


def _campaign(management: Management, application_id: int, campaign_id: int) -> dict[str, Any] | None:
    """Return a campaign, None when this Application has none of the number."""
    try:
        return management.get_campaign(application_id, campaign_id)
    except NotFoundError:
        return None
