"""What creating referral codes would do, shown before anything is sent."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from t1data.tables.twins import Twins
from t1data.words import many

if TYPE_CHECKING:
    import pandas as pd

_MOST_TERMS = 5


@dataclass(frozen=True)
class ReferralPlan:
    """What `create_referrals` would do with the same arguments.

    Attributes
    ----------
    source : str
        Name of the input.
    base_url : str
        Where the requests would go.
    campaign_id : int
        The campaign of the codes.
    rows, ready, invalid, collapsed : int
        Rows of the input; codes that would be made; rows that cannot be sent; rows that another row stands for.
    blank_lines : int
        Empty lines of a text file; they are no rows.
    requests : int
        Requests that would be sent.
    seconds : float or None
        How long they take at the client's pace; None without a limit.
    advocate, friend : str or None
        The columns of ids that are read.
    with_friend : int
        Rows that name a friend: a request each.
    repeated, repeated_rows : int
        Advocates that stand in more than one row, and those rows.
    duplicates : str
        What is done about them.
    terms : DataFrame
        One line for each set of terms: ``usage_limit, start_date, expiry_date, pattern, valid_characters, attributes,
        friends, rows``.
    problems : DataFrame
        One line a reason why a row is not sent: ``integration_id, column, code, value, message``, indexed like the
        input (for a file: the row number, from 1).
    ignored : tuple of str
        Columns that are not read.
    catalogue_checked : bool
        Whether attributes were held against the account's.
    twins : Twins or None
        Ids that a person would take for the same, though they are not.
    suspicions : tuple of str
        What to know of the input, each a sentence: hidden rows of a workbook, signs that a program changed ids. All of
        it is sent as it is.
    """

    source: str
    base_url: str
    campaign_id: int
    rows: int
    ready: int
    invalid: int
    collapsed: int
    blank_lines: int
    requests: int
    seconds: float | None
    advocate: str
    friend: str | None
    with_friend: int
    repeated: int
    repeated_rows: int
    duplicates: str
    terms: pd.DataFrame = field(repr=False)
    problems: pd.DataFrame = field(repr=False)
    ignored: tuple[str, ...] = ()
    catalogue_checked: bool = False
    twins: Twins | None = None
    suspicions: tuple[str, ...] = ()

    @property
    def reasons(self) -> dict[str, int]:
        """Rows that are not sent, by the code of their first reason."""
        first = self.problems[~self.problems.index.duplicated()] if len(self.problems) else self.problems
        return {str(code): int(count) for code, count in first["code"].value_counts().items()}

    def to_dict(self) -> dict[str, Any]:
        """Return the plan for machines; no values of customers are in it."""
        names = (
            "source", "base_url", "campaign_id", "rows", "ready", "invalid", "collapsed", "blank_lines", "requests",
            "seconds", "with_friend", "repeated", "repeated_rows", "duplicates", "reasons", "catalogue_checked",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names} | {"terms": len(self.terms)}

    def lines(self) -> list[str]:
        """Return the plan in words, a line for each thing to know."""
        said = [
            f"{self.source}: {many(self.rows, 'row')}",
            f"to {self.base_url}, campaign {self.campaign_id}, advocates by column {self.advocate!r}",
            f"{many(self.ready, 'code')} would be made in {many(self.requests, 'request')}" + _in_time(self.seconds),
        ]
        said += [line for line in self._terms_in_words() if line]
        if self.with_friend:
            said.append(
                f"{many(self.with_friend, 'row')} by a request each, since column {self.friend!r} names a friend"
            )
        if self.repeated:
            said.append(self._repeated_in_words())
        if self.invalid:
            why = ", ".join(f"{count:,} {code}" for code, count in self.reasons.items())
            said.append(f"{many(self.invalid, 'row')} cannot be sent: {why}")
        if self.blank_lines:
            said.append(f"{many(self.blank_lines, 'blank line')} left out")
        said += [self.twins.message] if self.twins else []
        said += self.suspicions
        if self.ignored:
            said.append("not read: " + ", ".join(self.ignored))
        return [*said, "codes cannot be made twice without harm, and the campaign's own limits do not count for them"]

    def _terms_in_words(self) -> list[str]:
        shown = self.terms.head(_MOST_TERMS)
        lines = [_terms(record) for record in shown.to_dict("records")]
        rest = len(self.terms) - len(shown)
        return [*lines, f"and {many(rest, 'other set')} of terms"] if rest else lines

    def _repeated_in_words(self) -> str:
        who = f"{many(self.repeated, 'advocate')} in more than one row ({self.repeated_rows:,} rows)"
        if self.duplicates == "each":
            return f"{who}: a code for each row; duplicates='first' makes one for each advocate"
        same = f" ({many(self.collapsed, 'row')} only said the same again)" if self.collapsed else ""
        rule = {"first": "the first row counts", "last": "the last row counts", "reject": "none counts"}[
            self.duplicates
        ]
        return f"{who}: one code each at most{same}; of rows that contradict each other {rule}"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        return (
            f"<ReferralPlan {self.source}: {many(self.ready, 'code')} for {many(self.rows, 'row')}"
            f" in {many(self.requests, 'request')}, {self.invalid:,} invalid>"
        )

    def _repr_html_(self) -> str:
        first, *rest = (html.escape(line) for line in self.lines())
        return f"<div><p><b>Plan</b> · {first}</p><ul>{''.join(f'<li>{line}</li>' for line in rest)}</ul></div>"


def _terms(terms: dict[Any, Any]) -> str:
    given = {name: value for name, value in terms.items() if name not in ("rows", "friends") and value is not None}
    uses = given.pop("usage_limit")
    words = ["uses without limit" if uses == 0 else many(int(uses), "use")]
    if "start_date" in given:
        words.append(f"from {given.pop('start_date')}")
    words.append(f"until {given.pop('expiry_date')}" if "expiry_date" in given else "no expiry")
    words += [f"{name.replace('_', ' ')} {value}" for name, value in given.items()]
    friends = " for one friend each" if terms["friends"] else ""
    return f"{many(terms['rows'], 'code')}{friends}: {', '.join(words)}"


def _in_time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f", about {seconds:.0f} s" if seconds < 120 else f", about {seconds / 60:.0f} min"
