"""What creating codes would do, found by preparing every row and sending none."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from t1data.bulk.batches import Batch, EncodedRows
from t1data.bulk.cutting import cut, gather
from t1data.client import Client
from t1data.referrals.encode import FRIEND, WIRE
from t1data.referrals.plan import ReferralPlan
from t1data.referrals.prepare import Advocates
from t1data.referrals.send import job_of
from t1data.tables.labels import problem_frame
from t1data.tables.problems import Problem
from t1data.tables.twins import find_twins

if TYPE_CHECKING:
    import pandas as pd

MOST_PROBLEMS = 100_000  # kept in a frame for people; the journal has a line for every row


@dataclass
class _Seen:
    """What is known after every row was prepared."""

    problems: list[Problem] = field(default_factory=list)
    bad_rows: set[int] = field(default_factory=set)
    terms: Counter[tuple[str, bool]] = field(default_factory=Counter)
    requests: int = 0

    def rows(self, prepared: Advocates) -> Iterator[EncodedRows]:
        """Yield the rows of an input, noting their problems."""
        for part, found in prepared.parts():
            self.problems += found[: MOST_PROBLEMS - len(self.problems)]
            self.bad_rows.update(problem.row for problem in found)
            yield part

    def count(self, batch: Batch) -> None:
        """Count a request that would be sent."""
        self.requests += 1
        self.terms[_terms_of(batch)] += len(batch)


def make_plan(client: Client, prepared: Advocates) -> ReferralPlan:
    """Return the plan of a prepared input."""
    job, seen = job_of(client, prepared, 1), _Seen()
    for batch in (gather if job.by_key else cut)(seen.rows(prepared), limit=job.batch_limit, max_bytes=job.max_bytes):
        if isinstance(batch, Batch):
            seen.count(batch)
    survey, columns = prepared.survey, prepared.columns
    repeated, repeated_rows = prepared.repeated()
    return ReferralPlan(
        source=prepared.source.name,
        base_url=client.base_url,
        campaign_id=int(prepared.fields["campaignId"]),
        rows=survey.rows,
        ready=sum(seen.terms.values()),
        invalid=len(seen.bad_rows),
        collapsed=sum(one.same for one in prepared.unsent.values()),
        blank_lines=survey.blank_lines,
        requests=seen.requests,
        seconds=seen.requests / client.rate if client.rate else None,
        advocate=columns.advocate,
        friend=columns.friend,
        with_friend=sum(count for (_, friend), count in seen.terms.items() if friend),
        repeated=repeated,
        repeated_rows=repeated_rows,
        duplicates=prepared.options.duplicates,
        terms=_terms_frame(seen.terms),
        problems=problem_frame(seen.problems, prepared.source.labels),
        ignored=columns.ignored,
        catalogue_checked=prepared.catalogue_checked,
        twins=find_twins(prepared.source, columns.advocate),
        suspicions=(*prepared.source.notes, *(suspect.message for suspect in survey.suspects)),
    )


def _terms_of(batch: Batch) -> tuple[str, bool]:
    """Return the terms of a batch without whom they are for, and whether it is for a friend."""
    if batch.key is not None:
        return batch.key, False
    whole = batch.body().decode()
    return whole[: whole.rindex(f',"{FRIEND}":')], True


def _terms_frame(terms: Counter[tuple[str, bool]]) -> pd.DataFrame:
    import pandas as pd

    records = [(*_values(json.loads(key + "}")), friend, count) for (key, friend), count in terms.items()]
    return pd.DataFrame(records, columns=[*WIRE, "attributes", "friends", "rows"], dtype=object)


def _values(terms: dict[str, Any]) -> list[Any]:
    attributes = terms.get("attributes")
    told = None if attributes is None else json.dumps(attributes, ensure_ascii=False)
    characters = terms.get("validCharacters")
    given = terms | {"validCharacters": None if characters is None else "".join(characters)}
    return [*(given.get(field) for field in WIRE.values()), told]
