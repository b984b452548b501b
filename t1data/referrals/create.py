"""Create referral codes for many advocates; no code is lost, and none is made twice without being told."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from t1data.bulk.batches import Batch
from t1data.bulk.job import Answered, Job
from t1data.bulk.progress import Control, Progress
from t1data.bulk.run import Cargo, Going, run_job
from t1data.client import OPERATIONS, Client
from t1data.journal.runs import Run
from t1data.referrals.codes import code_frame, read_goods
from t1data.referrals.prepare import Advocates, prepare
from t1data.referrals.terms import Moment, Terms

OPERATION = "create_referrals_for_multiple_advocates"
JOB = "create_referrals"


def create_referrals(
    client: Client,
    advocates: Any,
    *,
    campaign_id: int,
    usage_limit: int = 1,
    start_date: Moment = None,
    expiry_date: Moment = None,
    attributes: Mapping[str, Any] | None = None,
    pattern: str | None = None,
    valid_characters: Sequence[str] | None = None,
    advocate: str = "integration_id",
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

    Parameters
    ----------
    client : Client
        Where to, with which key, at what pace.
    advocates : path, DataFrame, Series, list of str, or anything with an Arrow stream
        One row a code; an advocate who stands in two rows gets two.
    campaign_id : int
        A campaign with the referral feature.
    usage_limit : int
        How often a code may be used, 0 to 999,999; 0 is without limit.
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
    allow_suspect_ids : bool
        Send ids that look as if a spreadsheet had damaged them.
    journal, connections, progress, control :
        As for `upsert_profiles`.
    resend_in_doubt : bool
        On a resume, send again what is in doubt: advocates whose codes were made will have two.

    Returns
    -------
    Run
        ``run.codes`` has one line a code: ``integration_id, code, referral_id, campaign_id, usage_limit, …``.

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
    client.check_unlocked(OPERATION)
    prepared = prepare(advocates, advocate=advocate, allow_suspect_ids=allow_suspect_ids)
    terms.check(codes=prepared.survey.rows)
    client.reach()
    path = os.path.abspath(advocates) if isinstance(advocates, str | os.PathLike) else None
    recipe = {"path": path, "advocate": advocate, "allow_suspect_ids": allow_suspect_ids}
    facts = prepared.facts() | {"layout": terms.facts(), "recipe": recipe}
    going = Going(journal, progress, control, resend_in_doubt=resend_in_doubt)
    return send(client, prepared, facts, going=going, connections=connections)


def send(client: Client, prepared: Advocates, facts: Mapping[str, Any], *, going: Going, connections: int = 4) -> Run:
    """Send prepared advocates under the terms that stand in `facts`, or what the journal does not hold as settled."""
    cargo = Cargo(
        JOB,
        client.base_url,
        facts,
        prepared.survey.rows,
        (rows for rows, _ in prepared.parts()),
        prepared.input(),
        goods={"codes": code_frame},
    )
    return run_job(_job(client, facts["layout"]["terms"].encode(), connections), cargo, going)


def _job(client: Client, prefix: bytes, connections: int) -> Job:
    def post(batch: Batch, stop: threading.Event, on_wait: Callable[[str, float], None]) -> Answered:
        # The default would be silent, and the codes that it makes would never be shown.
        body = batch.body(prefix, b"]}")
        return client.send(OPERATION, query={"silent": "no"}, body=body, stop=stop, on_wait=on_wait)

    facts = OPERATIONS[OPERATION]
    limit = facts.batch_limit or 1
    return Job(post, limit, connections=connections, repeatable=facts.repeatable, read=read_goods)
