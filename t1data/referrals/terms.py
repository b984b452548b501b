"""What all codes of one run have in common, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from t1data.body import encode_body
from t1data.errors import InputError

MOST_USES = 999_999
PATTERN_LENGTHS = range(4, 101)  # the API takes 3, but a code has at least 4 characters
DEFAULT_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
CROWDED = 10  # with fewer possible codes than this for each advocate, the server may not find one that is free

Moment = datetime | str | None


@dataclass(frozen=True)
class Terms:
    """The campaign, the limits and the form of the codes.

    Attributes
    ----------
    campaign_id : int
        A campaign with the referral feature.
    usage_limit : int
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
    usage_limit: int = 1
    start_date: Moment = None
    expiry_date: Moment = None
    attributes: Mapping[str, Any] | None = None
    pattern: str | None = None
    valid_characters: Sequence[str] | None = None

    def check(self, *, codes: int = 1, now: datetime | None = None) -> None:
        """Raise `InputError` in a sentence for anything that the API would refuse, or that cannot be meant."""
        if isinstance(self.campaign_id, bool) or not isinstance(self.campaign_id, int) or self.campaign_id < 1:
            raise InputError(f"campaign_id: got {self.campaign_id!r}, valid is a campaign's number")
        if isinstance(self.usage_limit, bool) or self.usage_limit not in range(MOST_USES + 1):
            raise InputError(f"usage_limit: got {self.usage_limit!r}, valid are 0 (no limit) to {MOST_USES:,}")
        start, expiry = _moment("start_date", self.start_date), _moment("expiry_date", self.expiry_date)
        if expiry is not None and expiry <= max(filter(None, (start, now or datetime.now(UTC)))):
            raise InputError("expiry_date: it lies before the start, or is past already; no code could be used")
        self._check_pattern(codes)

    def _check_pattern(self, codes: int) -> None:
        characters = self.valid_characters if self.valid_characters is not None else DEFAULT_CHARACTERS
        if any(len(character) != 1 for character in characters) or not len(characters):
            raise InputError("valid_characters: give single characters")
        if self.pattern is None:
            return
        if len(self.pattern) not in PATTERN_LENGTHS:
            raise InputError(f"pattern: it has {len(self.pattern)} characters, valid are 4 to 100")
        room = len(set(characters)) ** self.pattern.count("#")
        if room < codes * CROWDED:
            raise InputError(f"pattern: it has room for {room:,} codes, too few for {codes:,} advocates; add #")

    def envelope(self) -> tuple[bytes, bytes]:
        """Return what stands before and after the advocates in a body."""
        fields = {
            "campaignId": self.campaign_id,
            "usageLimit": self.usage_limit,
            "startDate": self.start_date,
            "expiryDate": self.expiry_date,
            "attributes": self.attributes,
            "referralPattern": self.pattern,
            "validCharacters": None if self.valid_characters is None else list(self.valid_characters),
        }
        head = bytes(encode_body({name: value for name, value in fields.items() if value is not None}))
        return head[:-1] + b',"advocateProfileIntegrationIds":[', b"]}"

    def facts(self) -> dict[str, str]:
        """Return what a resume must find unchanged."""
        return {"terms": self.envelope()[0].decode()}


def _moment(name: str, value: Moment) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise InputError(f"{name}: {value!r} is no time in RFC 3339 form") from None
    if moment is not None and moment.tzinfo is None:
        raise InputError(f"{name}: the time has no zone; add one, such as +00:00")
    return moment
