"""The judges: both official Python SDKs, unchanged, drive the sandbox and read typed answers.

Each has a virtual environment of its own, made at the first run from a lock file and kept until that changes.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from t1data.sandbox import Sandbox
from t1data.sandbox.routes import ROUTES
from tests.sdk.environment import SDK, python_with

CODE = "SUMMER25%OFF/ä"
# The first went with the API of 2021; of Applications and campaigns the sandbox tells less than the SDKs' models want.
NOT_DRIVEN = {"track_event", "authping", "openapi", "get_applications", "get_campaign"}

SEED: dict[str, Any] = {
    "attributes": [
        {"entity": "CustomerProfile", "name": "Spend", "type": "number"},
        {"entity": "CustomerProfile", "name": "Since", "type": "time"},
    ],
    "profiles": [{"integration_id": "00001"}, {"integration_id": "00002"}],
    "campaigns": [
        {"id": 45, "name": "Bring a friend", "features": ["referrals"]},
        {
            "id": 7,
            "name": "Summer",
            "features": ["coupons", "loyalty"],
            "rules": [
                {
                    "name": "A tenth off",
                    "when": {"coupon": True},
                    "then": [{"effect": "setDiscount", "name": "Summer", "percent": 10}],
                },
                {
                    "name": "A point for each unit",
                    "when": {"state": "closed"},
                    "then": [{"effect": "addLoyaltyPoints", "program": 3, "points_per_unit": 1}],
                },
            ],
            "coupons": [{"value": CODE, "usage_limit": 0}],
            "achievements": [{"name": "Three", "title": "Three orders", "target": 3, "progress": {"00001": 1}}],
        },
    ],
    "loyalty_programs": [{"id": 3, "name": "notes", "title": "Notes", "points": [{"profile": "00001", "amount": 40}]}],
    "giveaway_pools": [{"id": 5, "name": "Tickets", "codes": [{"code": "TICKET-1", "owner": "00001"}]}],
}

READ: dict[str, Any] = {
    "audiences": {
        "made": ["Audience", "int", "VIP", "vip", "datetime"],
        "renamed": [True, "Very important"],
        "joined": None,
        "attributes": None,
        "emptied": None,
        "deleted": None,
    },
    "profiles": {
        "updated": ["CustomerProfileIntegrationResponseV2", "CustomerProfile", "a/b c"],
        "attributes": {"Spend": 11.5, "Since": "2026-01-01T00:00:00+00:00"},
        "effects": [[], [], [], "list"],
        "bulk": ["00001", "00002"],
        "silent": None,
    },
    "coupons": {
        "reserved": ["Coupon", CODE, "int"],
        "held": ["CustomerProfile", ["00001", "00002"]],
        "released": None,
        "left": ["00001"],
    },
    "referrals": {
        "one": ["Referral", "00001", 12, "2030-01-01T00:00:00+00:00"],
        "many": [["00001", "T1-"], ["00002", "T1-"]],
        "silent": None,
    },
    "session": {
        "opened": ["CustomerSessionV2", "open", 21],
        "effects": [
            ["acceptCoupon", "setDiscount"],
            ["acceptCoupon", "setDiscount", "addLoyaltyPoints"],
            ["acceptCoupon", "setDiscount"],
        ],
        "closed": ["closed", 1],
        "read": "closed",
        "dry": 404,
    },
    "event": {"loud": ["TrackEventV2Response", "Event", "seen"], "silent": None},
    "inventory": {
        "profile": ["CustomerProfile", "00001", 1],
        "coupons": [["InventoryCoupon", CODE, "used"]],
        "referrals": [1, 2, 2],
        "loyalty": ["notes", "LedgerInfo", 61],
        "giveaways": ["TICKET-1"],
        "achievements": [["Three", 1]],
        "nothing": [None, None, None],
    },
    "administration": {
        "attribute": ["Attribute", "City", "City"],
        "renamed": [True, "Town"],
        "attributes": True,
        "audiences": ["Uploaded"],
        "uploaded": ["ModelImport", 2],
        "members": ["00001", "x y"],
        "export": ["profileintegrationid", "00001", "x y"],
        "count": [2],
        "referrals": 3,
        "points": [3],
    },
    "errors": {
        "bad": 400,
        "stranger": 401,
        "missing": 404,
        "conflict": 409,
        "no such profile": 404,
        "no such code": 404,
    },
    "erasure": {"erased": None, "left": {}},
}


@pytest.mark.timeout(600)  # the first run of a fresh clone installs the SDK
@pytest.mark.parametrize("name", ["new", "legacy"])
def test_the_official_sdk_reads_what_the_sandbox_says(name: str) -> None:
    python = python_with(name)
    with Sandbox() as sandbox:
        sandbox.load(SEED)
        facts = {
            "T1DATA_BASE_URL": sandbox.base_url,
            "T1DATA_API_KEY": sandbox.api_key,
            "T1DATA_MANAGEMENT_KEY": sandbox.management_key,
        }
        command = [python, SDK / f"drive_{name}.py"]
        done = subprocess.run(command, env={**os.environ, **facts}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == READ
        used = {seen.operation for seen in sandbox.requests}
    assert {route.operation for route in ROUTES} - used == NOT_DRIVEN
