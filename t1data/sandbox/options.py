"""The switches of a sandbox: what no document settles about the API, and what may go wrong on purpose."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args, get_type_hints


@dataclass(frozen=True)
class Options:
    """The open choices of the API: what no document settles, the likeliest answer as the default.

    Parameters
    ----------
    bad_batch_item : {"reject_all", "skip_bad"}
        Whether one bad profile refuses its whole batch, or only itself.
    point_at_faults : bool
        Whether a 400 names its faults with pointers; False leaves ``errors`` empty.
    unknown_reservation_profile, unknown_advocate : {"accept", "create", "reject"}
        What an id without a profile meets in a reservation and as an advocate.
    unknown_attribute : {"reject", "declare"}
        Whether an attribute must exist before use, or is declared by its first value.
    duplicate_in_batch : {"last", "reject"}
        Whether an id may stand twice in one bulk call; "last" applies both in order.
    null_clears : bool
        Whether ``null`` removes an attribute's value; False leaves the value as it is.
    code_case : {"sensitive", "insensitive-upper", "insensitive-lower"}
        The Application's rule for coupon and referral codes.
    environment : {"sandbox", "live"}
        The environment that the keys belong to.
    rate : float, optional
        Requests a second before a 429; None for no limit.
    send_retry_after : bool
        Whether that 429 carries ``Retry-After``.
    batch_limit : int
        The most items that a bulk call may carry.
    unknown_audience : {"reject_all", "apply_known"}
        Whether an unknown audience in operation 5 refuses all actions, or comes after the known ones.
    unknown_member : {"ignore", "reject"}
        What the removal of somebody who is no member meets in operation 5.
    audience_in_use : {"reject", "delete"}
        Whether an audience that a campaign's rules name can be deleted.
    repeated_reservation : {"accept", "reject"}
        What a second reservation of one coupon by one profile meets.
    inventory_without_flags : {"nothing", "everything"}
        What an inventory holds when no section is asked for.
    response_order : {"request", "shuffled"}
        The order of ``integrationStates`` and of the referrals of operation 15.
    referral_usage_limit : int
        The ``usageLimit`` of a single referral when the caller gives none; 0 is unlimited.
    referral_pattern : str
        The shape of a referral code when the caller gives none; each ``#`` becomes a character.
    closed_session_status : {400, 409}
        The status of an update that a closed or cancelled session cannot take.
    changed_customer : {"accept", "reject"}
        Whether an open session may be handed to another profile by a session update.
    foreign_session : {"reject", "accept"}
        What an event of version 1 meets when its session belongs to another profile.
    """

    bad_batch_item: Literal["reject_all", "skip_bad"] = "reject_all"
    point_at_faults: bool = True
    unknown_reservation_profile: Literal["accept", "create", "reject"] = "accept"
    unknown_advocate: Literal["accept", "create", "reject"] = "accept"
    unknown_attribute: Literal["reject", "declare"] = "reject"
    duplicate_in_batch: Literal["last", "reject"] = "last"
    null_clears: bool = True
    code_case: Literal["insensitive-upper", "insensitive-lower", "sensitive"] = "sensitive"
    environment: Literal["sandbox", "live"] = "sandbox"
    rate: float | None = None
    send_retry_after: bool = True
    batch_limit: int = 1000
    unknown_audience: Literal["reject_all", "apply_known"] = "reject_all"
    unknown_member: Literal["ignore", "reject"] = "ignore"
    audience_in_use: Literal["reject", "delete"] = "reject"
    repeated_reservation: Literal["accept", "reject"] = "accept"
    inventory_without_flags: Literal["nothing", "everything"] = "nothing"
    response_order: Literal["request", "shuffled"] = "request"
    referral_usage_limit: int = 1
    referral_pattern: str = "############"
    closed_session_status: Literal[400, 409] = 400
    changed_customer: Literal["accept", "reject"] = "accept"
    foreign_session: Literal["reject", "accept"] = "reject"

    def __post_init__(self) -> None:
        hints = get_type_hints(Options)
        for name in (field.name for field in fields(self)):
            words = get_args(hints[name])
            if type(None) not in words and words and getattr(self, name) not in words:
                raise ValueError(f"{name} must be one of {', '.join(map(repr, words))}, not {getattr(self, name)!r}")
