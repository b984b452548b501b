"""What an erasure would do, shown before anything is sent: how many customers, where, in which environment."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from numbers import Integral
from typing import TYPE_CHECKING, Any

from t1data.bulk.named import Named, name_rows
from t1data.client import Client
from t1data.erasure.deed import look
from t1data.errors import InputError, NotFoundError
from t1data.tables.reading import Reading
from t1data.words import many

if TYPE_CHECKING:
    import pandas as pd

NOT_COVERED = (
    "It empties the attributes of these customers, and of their sessions, events and codes, in all Applications of one"
    " environment. It does not reach: the other environment; profiles, memberships, codes and points as such, which"
    " stay under their ids; exports and files that you made; backups; ad platforms and others who were given the data,"
    " whom you have to tell (GDPR Art. 19); journals and outcome files of this machine: see purge_people."
)

_TRIED = 3  # customers who are looked for, to see which environment the key opens
_REQUESTS = 2  # the erasure and its proof


@dataclass(frozen=True)
class ErasurePlan:
    """What `erase_customers` would do with the same input.

    Attributes
    ----------
    source : str
        Name of the input.
    base_url, key : str
        Where to, and the last four characters of the key.
    environment : {"live", "sandbox"} or None
        Which environment the key opens, as a profile in it says; None when none of the first customers is there.
    rows, customers, invalid, collapsed : int
        Rows of the input; distinct customers, the number to be confirmed; rows that cannot be sent; rows more with an
        id that stands above.
    requests : int
        Two a customer: the erasure and its proof.
    seconds : float or None
        How long they take at the client's pace; None without a limit.
    problems : DataFrame
        ``integration_id, column, code, message`` of rows that cannot be sent, indexed like the input (for a file: the
        row number, from 1); the first 100,000.
    notes : tuple of str
        What to know of the input, such as hidden rows of a workbook, whose customers are erased like the others.
    """

    source: str
    base_url: str
    key: str
    environment: str | None
    rows: int
    customers: int
    invalid: int
    requests: int
    seconds: float | None
    problems: pd.DataFrame = field(repr=False)
    notes: tuple[str, ...] = ()

    @property
    def collapsed(self) -> int:
        """Rows more with an id that stands above."""
        return self.rows - self.customers - self.invalid

    @property
    def target(self) -> str:
        """Say where, in which environment and by which key."""
        environment = "an unknown environment" if self.environment is None else f"the {self.environment} environment"
        return f"{self.base_url} ({environment}, key {self.key})"

    def check(self, confirm: int | None) -> None:
        """Raise `InputError` unless `confirm` is the number of customers: no default ever says yes."""
        if not self.customers:
            raise InputError(f"{self.source}: no row can be sent, so there is nothing to erase; see plan.problems")
        if isinstance(confirm, Integral) and not isinstance(confirm, bool) and confirm == self.customers:
            return
        given = "" if confirm is None else f"confirm: got {confirm!r}. "
        raise InputError(
            f"{given}This would erase the attributes of {many(self.customers, 'customer')} at {self.target}, for good."
            f" If that is meant, say confirm={self.customers}. Nothing was sent"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the plan for machines; no ids are in it."""
        names = ("source", "base_url", "key", "environment", "rows", "customers", "invalid", "collapsed", "requests")
        return {name: getattr(self, name) for name in (*names, "seconds")}

    def lines(self) -> list[str]:
        """Return the plan in words, a line for each thing to know."""
        said = [
            f"{self.source}: {many(self.rows, 'row')}, {many(self.customers, 'customer')} to erase",
            f"at {self.target}",
            f"{many(self.requests, 'request')}, each erasure and its proof{_in_time(self.seconds)}; not at peak hours",
        ]
        if self.invalid:
            codes = ", ".join(f"{n:,} {code}" for code, n in self.problems["code"].value_counts().items())
            said.append(f"{many(self.invalid, 'row')} cannot be sent: {codes}")
        if self.collapsed:
            said.append(f"{many(self.collapsed, 'row')} more with an id that stands above: each customer goes out once")
        return [*said, *self.notes, NOT_COVERED]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        return f"<ErasurePlan {self.source}: {many(self.customers, 'customer')} at {self.target}>"

    def _repr_html_(self) -> str:
        first, *rest = (html.escape(line) for line in self.lines())
        return f"<div><p><b>Erasure</b> · {first}</p><ul>{''.join(f'<li>{line}</li>' for line in rest)}</ul></div>"


def plan_erasure(
    client: Client,
    ids: Any,
    *,
    id: str = "integration_id",
    allow_suspect_ids: bool = False,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
) -> ErasurePlan:
    """Return what an erasure would do; nothing is changed.

    At most three profiles are read, to see whether the key opens the live or the sandbox environment.

    Parameters
    ----------
    client : Client
        Where to.
    ids : path, DataFrame, Series, list of str, or anything with an Arrow stream
        The customers.
    id : str
        The column of the ids.
    allow_suspect_ids : bool
        Take ids that look as if a spreadsheet had damaged them.
    encoding, delimiter, sheet : str, optional
        How a file is read, as for `upsert_profiles`.

    Raises
    ------
    InputError
        There are no rows, no such column, or its ids look damaged.

    Examples
    --------
    >>> import t1data as t1
    >>> with t1.Sandbox() as sandbox:
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key)
    ...     _ = client.update_customer_profile_v2("007", {"attributes": {}})
    ...     plan = t1.plan_erasure(client, ["007", "008", "007"])
    >>> plan.customers, plan.environment
    (2, 'sandbox')
    """
    reading = Reading(encoding, delimiter, sheet)
    return make_plan(client, name_rows(ids, id=id, allow_suspect_ids=allow_suspect_ids, reading=reading))


def make_plan(client: Client, named: Named) -> ErasurePlan:
    """Return the plan of an input that was looked over."""
    client.reach()
    found = named.counted()
    requests = _REQUESTS * found.ready
    return ErasurePlan(
        source=named.source.name,
        base_url=client.base_url,
        key=client.key_hint,
        environment=_environment(client, named),
        rows=named.survey.rows,
        customers=found.ready,
        invalid=found.invalid,
        requests=requests,
        seconds=requests / client.rate if client.rate else None,
        problems=found.problems,
        notes=named.source.notes,
    )


def _environment(client: Client, named: Named) -> str | None:
    for integration_id in islice(_ids(named), _TRIED):
        try:
            _, profile = look(client, integration_id)
        except NotFoundError:
            continue
        sandbox = profile.get("sandbox")
        return None if sandbox is None else ("sandbox" if sandbox else "live")
    return None


def _ids(named: Named) -> Iterator[str]:
    for rows, _ in named.parts():
        assert rows.keys is not None
        yield from rows.keys.to_pylist()


def _in_time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f", about {seconds:.0f} s" if seconds < 120 else f", about {seconds / 60:.0f} min"
