"""What customers hold, as the API answers: about 5.0 KB of JSON for each, made from a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Record = dict[str, Any]

CITIES = ("Zürich", "São Paulo", "北京", "Kraków", "Berlin", "Springfield")


def answers(count: int, seed: int) -> Iterator[bytes]:
    """Yield the inventories of `count` customers, each as compact JSON."""
    chance = random.Random(seed)
    for number in range(count):
        yield json.dumps(inventory(number, chance), ensure_ascii=False, separators=(",", ":")).encode()


def write_answers(path: Path, count: int, seed: int) -> float:
    """Write one answer a line; return how many bytes one has on average."""
    with path.open("wb") as file:
        size = sum(file.write(body + b"\n") - 1 for body in answers(count, seed))
    return size / count


def integration_id(number: int) -> str:
    """Return what the customer of this number is called."""
    return f"customer-{number:010d}"


def inventory(number: int, chance: random.Random) -> Record:
    """Return one customer's profile, three referrals, three coupons, two ledgers with their tiers, one giveaway."""
    name = integration_id(number)
    return {
        "profile": _profile(number, name, chance),
        "referrals": [referral(3 * number + nth, name, chance) for nth in range(3)],
        "coupons": [_coupon(3 * number + nth, name, chance) for nth in range(3)],
        "loyalty": {"programs": {"5": _program(chance)}, "cards": []},
        "giveaways": [_giveaway(number, name, chance)],
    }


def _time(chance: random.Random, year: int) -> str:
    day = f"{year}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
    clock = f"{chance.randint(0, 23):02d}:{chance.randint(0, 59):02d}:{chance.randint(0, 59):02d}"
    return f"{day}T{clock}.{chance.randint(0, 999999):06d}Z"


def _profile(number: int, name: str, chance: random.Random) -> Record:
    return {
        "id": 100_000 + number,
        "created": _time(chance, 2021),
        "integrationId": name,
        "attributes": {
            "Name": f"Customer {number} of {chance.choice(CITIES)}",
            "Email": f"customer.{number}@example.com",
            "City": chance.choice(CITIES),
            "Address": f"{chance.randint(1, 999)} Long Street, behind the market hall, third floor",
            "Language": chance.choice(("de", "pt", "zh", "pl", "en")),
            "Segment": chance.choice(("often", "seldom", "new")),
            "Age": chance.randint(18, 99),
            "Score": round(chance.random() * 100, 3),
            "Newsletter": chance.random() < 0.5,
            "Birthday": _time(chance, 1980),
            "Tags": ["loyal", "web"],
        },
        "accountId": 31,
        "closedSessions": chance.randint(0, 90),
        "totalSales": round(chance.random() * 9000, 2),
        "loyaltyMemberships": None,
        "audienceMemberships": [{"id": 1, "name": "Premium customers"}, {"id": 2, "name": "Newsletter"}],
        "lastActivity": _time(chance, 2026),
        "sandbox": False,
    }


def referral(number: int, name: str, chance: random.Random) -> Record:
    """Return a referral code, as an inventory and an answer to its creation hold it."""
    return {
        "id": number,
        "created": _time(chance, 2025),
        "startDate": _time(chance, 2025),
        "expiryDate": _time(chance, 2027),
        "usageLimit": 10,
        "campaignId": 78,
        "advocateProfileIntegrationId": name,
        "friendProfileIntegrationId": "",
        "attributes": {"Channel": "mail"},
        "importId": 4,
        "code": f"REF-{number:08d}-{chance.getrandbits(32):08X}",
        "usageCounter": chance.randint(0, 10),
        "batchId": f"{chance.getrandbits(48):012x}",
        "referredCustomers": [],
    }


def _coupon(number: int, name: str, chance: random.Random) -> Record:
    limit = float(chance.randint(5, 50))
    used = round(limit * chance.random(), 2)
    return {
        "id": number,
        "created": _time(chance, 2025),
        "campaignId": 78,
        "value": f"SAVE-{number:08d}-{chance.getrandbits(32):08X}",
        "usageLimit": 1,
        "discountLimit": limit,
        "reservationLimit": 0,
        "startDate": _time(chance, 2025),
        "expiryDate": _time(chance, 2027),
        "limits": [],
        "usageCounter": 0,
        "discountCounter": used,
        "discountRemainder": limit - used,
        "reservationCounter": 1,
        "attributes": {"Reason": "welcome"},
        "referralId": None,
        "recipientIntegrationId": name,
        "importId": 4,
        "reservation": True,
        "batchId": f"{chance.getrandbits(48):012x}",
        "isReservationMandatory": False,
        "implicitlyReserved": False,
        "profileRedemptionCount": 0,
        "state": chance.choice(("active", "used", "expired", "pending")),
    }


def _program(chance: random.Random) -> Record:
    return {
        "id": 5,
        "title": "Notes of the house",
        "name": "notes",
        "joinDate": _time(chance, 2023),
        "ledger": _ledger(chance),
        "subLedgers": {"gifts": _ledger(chance)},
    }


def _ledger(chance: random.Random) -> Record:
    return {
        "currentBalance": round(chance.random() * 900, 2),
        "pendingBalance": chance.randint(0, 100),
        "negativeBalance": 0,
        "expiredBalance": round(chance.random() * 90, 2),
        "spentBalance": chance.randint(0, 500),
        "tentativeCurrentBalance": round(chance.random() * 900, 2),
        "tentativePendingBalance": 0,
        "tentativeNegativeBalance": 0,
        "currentTier": {
            "id": 2,
            "name": "Gold",
            "startDate": _time(chance, 2026),
            "expiryDate": _time(chance, 2027),
            "downgradePolicy": "one_down",
        },
        "pointsToNextTier": chance.randint(1, 500),
        "nextTierName": "Platinum",
    }


def _giveaway(number: int, name: str, chance: random.Random) -> Record:
    return {
        "id": number,
        "created": _time(chance, 2025),
        "code": f"GIFT-{chance.getrandbits(64):016X}",
        "poolId": 3,
        "startDate": _time(chance, 2025),
        "endDate": _time(chance, 2027),
        "attributes": {"Provider": "cinema"},
        "used": True,
        "importId": 9,
        "profileIntegrationId": name,
        "profileId": 100_000 + number,
    }
