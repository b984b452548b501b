"""The tidy tables of an inventory: which columns each has, where they come from, and of what type they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import pyarrow as pa

from t1data.bulk.cells import ARROW, Kind


@dataclass(frozen=True, slots=True)
class Field:
    """A column, and the field of the API's answer that it holds."""

    column: str
    wire: str
    kind: Kind


def _fields(kind: Kind, names: str) -> list[Field]:
    """Read ``column=wireName`` pairs; a name alone is both."""
    pairs = (name.partition("=") for name in names.split())
    return [Field(column, wire or column, kind) for column, _, wire in pairs]


_TIER = [
    *_fields("whole", "tier_id=id"),
    *_fields("text", "tier_name=name"),
    *_fields("time", "tier_start_date=startDate tier_expiry_date=expiryDate"),
    *_fields("text", "tier_downgrade_policy=downgradePolicy"),
]
_BALANCES = [
    *_fields("number", "current_balance=currentBalance pending_balance=pendingBalance"),
    *_fields("number", "negative_balance=negativeBalance expired_balance=expiredBalance spent_balance=spentBalance"),
    *_fields("number", "tentative_current_balance=tentativeCurrentBalance"),
    *_fields("number", "tentative_pending_balance=tentativePendingBalance"),
    *_fields("number", "tentative_negative_balance=tentativeNegativeBalance"),
    *_fields("number", "points_to_next_tier=pointsToNextTier"),
    *_fields("text", "next_tier_name=nextTierName"),
]
_PERIOD = _fields("time", "start_date=startDate expiry_date=expiryDate")

PARTS: Final[Mapping[str, tuple[tuple[Field, ...], ...]]] = MappingProxyType(
    {
        name: tuple(tuple(fields) for fields in parts)
        for name, parts in {
            "profiles": [
                [
                    *_fields("whole", "profile_id=id account_id=accountId"),
                    *_fields("time", "created last_activity=lastActivity"),
                    *_fields("whole", "closed_sessions=closedSessions"),
                    *_fields("number", "total_sales=totalSales"),
                    *_fields("flag", "sandbox"),
                ]
            ],
            "audiences": [[*_fields("whole", "audience_id=id"), *_fields("text", "audience=name")]],
            "referrals": [
                [
                    *_fields("whole", "referral_id=id"),
                    *_fields("text", "code"),
                    *_fields("whole", "campaign_id=campaignId"),
                    *_fields("text", "advocate_integration_id=advocateProfileIntegrationId"),
                    *_fields("text", "friend_integration_id=friendProfileIntegrationId"),
                    *_fields("whole", "usage_limit=usageLimit usage_counter=usageCounter"),
                    *_PERIOD,
                    *_fields("time", "created"),
                    *_fields("whole", "import_id=importId"),
                    *_fields("text", "batch_id=batchId"),
                ]
            ],
            "referred_customers": [
                [*_fields("whole", "referral_id"), *_fields("text", "code referred_integration_id")]
            ],
            "coupons": [
                [
                    *_fields("whole", "coupon_id=id"),
                    *_fields("text", "coupon=value state"),
                    *_fields("whole", "campaign_id=campaignId usage_limit=usageLimit usage_counter=usageCounter"),
                    *_fields("whole", "profile_redemption_count=profileRedemptionCount"),
                    *_fields("number", "discount_limit=discountLimit discount_counter=discountCounter"),
                    *_fields("number", "discount_remainder=discountRemainder"),
                    *_fields("whole", "reservation_limit=reservationLimit"),
                    *_fields("number", "reservation_counter=reservationCounter"),
                    *_fields("flag", "reservation is_reservation_mandatory=isReservationMandatory"),
                    *_fields("flag", "implicitly_reserved=implicitlyReserved"),
                    *_PERIOD,
                    *_fields("time", "created"),
                    *_fields("text", "recipient_integration_id=recipientIntegrationId"),
                    *_fields("whole", "referral_id=referralId import_id=importId"),
                    *_fields("text", "batch_id=batchId"),
                ]
            ],
            "coupon_limits": [
                [
                    *_fields("whole", "coupon_id"),
                    *_fields("text", "coupon action"),
                    *_fields("number", "limit"),
                    *_fields("text", "period entities"),
                ]
            ],
            "loyalty": [
                [
                    *_fields("whole", "program_id=id"),
                    *_fields("text", "program=name program_title=title"),
                    *_fields("time", "join_date=joinDate"),
                ],
                _fields("text", "ledger"),
                _BALANCES,
                _TIER,
            ],
            "loyalty_cards": [
                [
                    *_fields("text", "card=identifier status block_reason=blockReason"),
                    *_fields("whole", "card_id=id program_id=programID"),
                    *_fields("text", "program=programName program_title=programTitle"),
                    *_fields("whole", "users_per_card_limit=usersPerCardLimit"),
                    *_fields("time", "created modified"),
                    *_fields("text", "old_card=oldCardIdentifier new_card=newCardIdentifier batch_id=batchId"),
                ],
                _fields("text", "ledger"),
                _BALANCES,
                _TIER,
            ],
            "giveaways": [
                [
                    *_fields("whole", "giveaway_id=id"),
                    *_fields("text", "code"),
                    *_fields("whole", "pool_id=poolId"),
                    *_fields("flag", "used"),
                    *_fields("time", "start_date=startDate end_date=endDate created"),
                    *_fields("whole", "profile_id=profileId import_id=importId"),
                    *_fields("text", "profile_integration_id=profileIntegrationId"),
                ]
            ],
            "achievements": [
                [
                    *_fields("whole", "achievement_id=achievementId"),
                    *_fields("text", "achievement=name title description"),
                    *_fields("whole", "campaign_id=campaignId"),
                    *_fields("text", "status"),
                    *_fields("number", "progress target"),
                    *_fields("time", "start_date=startDate completion_date=completionDate end_date=endDate"),
                    *_fields("text", "recurrence_policy=achievementRecurrencePolicy"),
                    *_fields("text", "activation_policy=achievementActivationPolicy"),
                    *_fields("time", "fixed_start_date=achievementFixedStartDate"),
                    *_fields("time", "achievement_end_date=achievementEndDate"),
                    *_fields("flag", "allow_rollback=achievementAllowRollbackAfterCompletion"),
                ]
            ],
        }.items()
    }
)
"""Table → the records that make one row of it, each with its fields."""

SCHEMAS: Final[Mapping[str, pa.Schema]] = MappingProxyType(
    {
        name: pa.schema(
            [
                ("integration_id", pa.string()),
                *((field.column, ARROW[field.kind]) for part in parts for field in part),
                ("extra", pa.string()),
            ]
        )
        for name, parts in PARTS.items()
    }
)
"""Table → its columns; one for each attribute, ``attributes.<name>``, follows after them."""

SECTIONS: Final = ("profile", "referrals", "coupons", "loyalty", "giveaways", "achievements")
"""What can be asked for, in the API's words."""
