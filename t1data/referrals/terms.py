"""What the codes of a run have in common by the caller's word, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from numbers import Integral
from typing import Any

from t1data.body import encode_body
from t1data.errors import InputError
from t1data.tables.choices import check_names
from t1data.words import many

MOST_USES = 999_999
PATTERN_LENGTHS = range(4, 101)  # the API takes 3, but a code has at least 4 characters
DEFAULT_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
CROWDED = 10  # with fewer possible codes than this for each advocate, the server may not find one that is free

Moment = datetime | str | None


@dataclass(frozen=True)
class Terms:
    """The campaign, the limits and the form of the codes, as the caller gives them for all rows.

    Attributes
    ----------
    campaign_id : int
        A campaign with the referral feature.
    usage_limit : int, optional
        How often a code may be used; 0 is without limit.
    start_date, expiry_date : datetime or str, optional
        With a zone; RFC 3339 if text.
    attributes : mapping, optional
        Of each referral.
    pattern : str, optional
        Each ``#`` becomes a random character.
    valid_characters : sequence of str, optional
        From which the random ones are drawn.
    """

    campaign_id: int
    usage_limit: int | None = None
    start_date: Moment = None
    expiry_date: Moment = None
    attributes: Mapping[str, Any] | None = None
    pattern: str | None = None
    valid_characters: Sequence[str] | None = None

    @property
    def given(self) -> tuple[str, ...]:
        """The names of the terms that are given."""
        return tuple(name for name, value in vars(self).items() if value is not None)

    def check(self, *, now: datetime) -> None:
        """Raise `InputError` in a sentence for anything that the API would refuse, or that cannot be meant."""
        if isinstance(self.campaign_id, bool) or not isinstance(self.campaign_id, Integral) or self.campaign_id < 1:
            raise InputError(f"campaign_id: got {self.campaign_id!r}, valid is a campaign's number")
        uses = self.usage_limit if self.usage_limit is not None else 1
        if isinstance(uses, bool) or not isinstance(uses, Integral) or uses not in range(MOST_USES + 1):
            raise InputError(f"usage_limit: got {uses!r}, valid are 0 (no limit) to {MOST_USES:,}")
        start, expiry = _moment("start_date", self.start_date), _moment("expiry_date", self.expiry_date)
        if expiry is not None and expiry <= max(filter(None, (start, now))):
            raise InputError("expiry_date: it lies before the start, or is past already; no code could be used")
        self._check_attributes()
        self._check_form()

    def _check_attributes(self) -> None:
        if self.attributes is not None and not isinstance(self.attributes, Mapping):
            raise InputError(f"attributes: got a {type(self.attributes).__name__}, valid is a mapping name → value")
        check_names(self.attributes or {})

    def _check_form(self) -> None:
        characters = self.valid_characters if self.valid_characters is not None else DEFAULT_CHARACTERS
        if not isinstance(characters, Collection) or not are_single(list(characters)):
            raise InputError("valid_characters: give single characters")
        if self.pattern is not None and not isinstance(self.pattern, str):
            raise InputError(f"pattern: got {self.pattern!r}, valid is text of 4 to 100 characters")
        if self.pattern is not None and len(self.pattern) not in PATTERN_LENGTHS:
            raise InputError(f"pattern: it has {many(len(self.pattern), 'character')}, valid are 4 to 100")

    def fields(self) -> dict[str, str]:
        """Return the terms that are given by their names on the wire, as JSON text."""
        values = {
            "campaignId": self.campaign_id,
            "usageLimit": self.usage_limit,
            "startDate": self.start_date,
            "expiryDate": self.expiry_date,
            "attributes": self.attributes or None,
            "referralPattern": self.pattern,
            "validCharacters": None if self.valid_characters is None else list(self.valid_characters),
        }
        return {name: _json(name, value) for name, value in values.items() if value is not None}


def are_single(characters: Sequence[Any]) -> bool:
    """Tell whether these are single characters, and at least one."""
    return bool(characters) and all(isinstance(one, str) and len(one) == 1 for one in characters)


def check_room(terms: Mapping[str, Any], codes: int) -> None:
    """Raise `InputError` when a pattern has too little room for so many codes.

    Parameters
    ----------
    terms : mapping
        On the wire: ``referralPattern``, ``validCharacters``.
    codes : int
        How many are to be made under it.

    Examples
    --------
    >>> check_room({"referralPattern": "FRIEND-####"}, 1000)
    """
    pattern = terms.get("referralPattern")
    if pattern is None:
        return
    room = len(set(terms.get("validCharacters") or DEFAULT_CHARACTERS)) ** pattern.count("#")
    if room < codes * CROWDED:
        raise InputError(
            f"pattern: {pattern!r} has room for {many(room, 'code')}, too few for {many(codes, 'advocate')}; add #,"
            " which stands for a random character"
        )


def now() -> datetime:
    """Return the time, against which an expiry date is held."""
    return datetime.now(UTC)


def _json(name: str, value: Any) -> str:
    return bytes(encode_body({name: value})).decode()[len(name) + 4 : -1]


def _moment(name: str, value: Moment) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise InputError(f"{name}: {value!r} is no time in RFC 3339 form") from None
    if moment is not None and not isinstance(moment, datetime):
        raise InputError(
            f"{name}: got a {type(value).__name__}, valid are a time with a zone and text in RFC 3339 form"
        )
    if moment is not None and moment.tzinfo is None:
        raise InputError(f"{name}: the time has no zone; add one, such as +00:00")
    try:
        return None if moment is None else moment.astimezone(UTC)
    except OverflowError:
        raise InputError(f"{name}: in UTC it is no time of the years 1 to 9999") from None
