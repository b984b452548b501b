"""What can be wrong with one row, as a closed set of codes, and the record that names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from t1data.tables.labels import Labels

REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Found by the readers: the row cannot be taken as its author meant it.
        "ragged_row": "The row has {value}: nothing in it can be told to belong to a column.",
        "stray_quote": "Text follows a closing quote, so it is unclear where the field ends.",
        "stray_line_break": "A line break of another kind than the file's stands outside quotes.",
        "nul_character": "The row holds a NUL character, which no text attribute can carry.",
        "unsupported_value": "Column {column} holds {value}, which cannot be written as JSON.",
        # Found in ids: none is ever trimmed, padded or otherwise repaired.
        "missing_id": "The row has no {noun} in column {column}.",
        "id_too_long": "The {noun} in column {column} is longer than the 1000 characters that Talon.One takes.",
        "id_whitespace": "The {noun} in column {column} begins or ends with a blank: {value!r}.",
        "id_control_character": "The {noun} in column {column} holds a control character: {value!r}.",
        "id_not_whole": "The {noun} in column {column} is {value}, not a whole number below 2**53.",
        "id_not_in_url": "The {noun} in column {column} is {value!r}, which no URL can name.",
        "duplicate_id": "The id stands in more than one row: {value}.",
        # Found in actions on audiences.
        "not_an_action": "Column {column} holds {value!r}; an action is 'add' or 'delete'.",
        "not_an_audience": "Column {column} holds {value!r}, which is no number of an audience.",
        "contradicting_actions": "The id is to be added to an audience and taken out of it: {value}.",
        # Found in sessions, carts and events.
        "missing_value": "The row has no value in column {column}, where one is needed.",
        "bad_state": "Column {column} holds {value!r}; a session is sent as 'open', 'closed' or 'cancelled'.",
        "bad_transition": "The session cannot go {value}.",
        "other_customer": "The session belongs to another customer: {value}.",
        "earlier_line": "An earlier line of the same session cannot be sent, so this one would say something else:"
        " {value}.",
        "bad_cart": "The session's cart cannot be sent: {value}.",
        "bad_quantity": "Column {column} holds {value!r}, which is no whole number from 1 to 10,000.",
        "bad_price": "Column {column} holds {value!r}, which is no price from 0 to 10**15: a discount or a return is no"
        " item of a cart.",
        "bad_code": "Column {column} holds {value!r}; a code has 1 to 100 characters.",
        "bad_codes": "Column {column} holds {value}; each code of the list has at most 100 characters.",
        "bad_identifiers": "Column {column} holds {value}; a session has at most 5 identifiers.",
        "bad_cards": "Column {column} holds {value}; a session has at most one loyalty card.",
        "bad_campaigns": "Column {column} holds {value}, and the number of a campaign is a whole one.",
        "unknown_session": "No row of the sessions has the session of this item, in column {column}: {value!r}.",
        "same_item": "The session has this very item already: {value}. Add the quantities up, or say"
        ' same_items="keep".',
        "reserved_type": "Column {column} holds {value!r}; names that begin with talon_ are those of built-in events.",
        # Found in the terms of referral codes, and in coupons.
        "bad_usage_limit": "Column {column} holds {value}; a usage limit is a whole number from 0 (no limit) to"
        " 999,999.",
        "bad_pattern": "Column {column} holds {value!r}; a pattern has 4 to 100 characters.",
        "bad_characters": "Column {column} holds {value!r}; valid characters are single ones, written ABC123 or as a"
        " list.",
        "expired": "Column {column} holds {value}, which is past already: no code could be used.",
        "expires_before_start": "Column {column} holds {value}, and the expiry is not after the start: no code could be"
        " used.",
        "own_friend": "Column {column} names the advocate as their own friend: nobody could use the code.",
        "pattern_for_friend": "Column {column} names a friend, and a code for one friend takes neither a pattern nor"
        " valid characters.",
        "missing_code": "The row has no code in column {column}.",
        # Found in values: what cannot be sent exactly as it is written is not sent.
        "not_utf8": "Column {column} holds bytes that are not UTF-8 text: {value}.",
        "not_a_string": "Column {column} holds {value}, which is no JSON string.",
        "not_a_number": "Column {column} holds {value!r}, which is no number as JSON writes it: no blanks, zeros ahead,"
        ' plus sign or grouping, and a decimal point (for a decimal comma say decimal=",").',
        "not_finite": "Column {column} holds {value}, an infinity to every reader.",
        "not_a_boolean": "Column {column} holds {value!r}, not true or false.",
        "naive_time": "Column {column} holds the time {value} without a zone; say which it is by tz=.",
        "ambiguous_time": "Column {column} holds {value}, which the clock of the zone showed twice or never.",
        "bad_time": "Column {column} holds {value}, which is no time of the years 1 to 9999 in RFC 3339 or ISO form.",
        "time_too_precise": "Column {column} holds {value}, finer than the microseconds that Talon.One keeps;"
        " truncate_times=True cuts it.",
        "bad_json": "Column {column} holds {value}, which is no JSON, or is nested more than 50 deep.",
        "not_a_list": "Column {column} holds {value}, which is no JSON array.",
        "null_in_list": "Column {column} holds a list with an element that has no value: {value}.",
        "not_an_object": "Column {column} holds {value}, which is no JSON object.",
        "row_too_large": "The row makes a profile of more than 4 MB.",
    }
)
"""Sentence for people by code. ``{column}``, ``{value}`` and ``{noun}`` are filled from the problem."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a row is not sent, found before any request.

    Parameters
    ----------
    row : int
        0-based position of the row in its source; the header and blank lines are not counted.
    code : str
        A key of `REASONS`.
    column : str, optional
        The source's column, when the reason lies in one cell.
    value : str, optional
        What was found, shortened for people. It may hold customers' data, so it belongs in no log.
    integration_id : str, optional
        The row's id, when it could be read.
    line : int, optional
        1-based physical line of a text file on which the row begins, when known.
    noun : str
        What the cells of an id column are: ``"id"``, or ``"code"`` of a coupon.

    Examples
    --------
    >>> Problem(4, "ragged_row", value="5 fields, the header has 4", line=6).message
    'The row has 5 fields, the header has 4: nothing in it can be told to belong to a column. (line 6)'
    """

    row: int
    code: str
    column: str | None = None
    value: str | None = None
    integration_id: str | None = None
    line: int | None = None
    noun: str = "id"

    def __post_init__(self) -> None:
        if self.code not in REASONS:
            raise ValueError(f"unknown reason {self.code!r}, valid are {', '.join(sorted(REASONS))}")

    def told(self, labels: Labels) -> Problem:
        """Return the problem as people read it, with labels where it names other rows; a cell stays as it is."""
        if self.value is None or self.column is not None:
            return self
        return replace(self, value=labels.told(self.value))

    @property
    def message(self) -> str:
        """The reason as a sentence, with the physical line when it is known."""
        sentence = REASONS[self.code].format(column=self.column, value=self.value, noun=self.noun)
        return sentence if self.line is None else f"{sentence} (line {self.line})"
