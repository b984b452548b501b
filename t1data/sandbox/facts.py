"""What rules are asked about: a campaign, a code, and the facts of one event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from t1data.sandbox.carts import Totals


@dataclass(frozen=True)
class Code:
    """A coupon or referral code as a customer gave it.

    Parameters
    ----------
    kind : {"Coupon", "Referral"}
        Which of the two.
    value : str
        The code.
    id, campaign_id : int
        0 when no such code exists.
    refusal : str, optional
        Why it cannot be used at all, whatever the rules say.
    remainder : Decimal, optional
        What a coupon may still give as discounts; None for no limit.
    """

    kind: Literal["Coupon", "Referral"]
    value: str
    id: int = 0
    campaign_id: int = 0
    refusal: str | None = None
    remainder: Decimal | None = None

    def usable_in(self, campaign_id: int) -> bool:
        """Return whether the rules of this campaign may take the code."""
        return self.refusal is None and self.campaign_id == campaign_id


@dataclass(frozen=True)
class Campaign:
    """A running campaign and its rules, which have passed `check_rules`."""

    id: int
    name: str
    ruleset_id: int
    rules: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Facts:
    """What the rules may look at. An event without a session has no state, an empty cart and totals of 0."""

    event: str
    profile_id: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    state: str = ""
    first_session: bool = False
    items: tuple[Mapping[str, Any], ...] = ()
    totals: Totals = field(default_factory=Totals)
    codes: tuple[Code, ...] = ()
    programs: frozenset[int] = frozenset()

    @property
    def updates_session(self) -> bool:
        """Whether the event is an update of the session, the only one that takes or rejects its codes unasked."""
        return self.event.startswith("talon_session_")
