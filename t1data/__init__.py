"""Move customers, audiences, referrals, coupons and inventories between DataFrames or files and Talon.One.

Every row has exactly one outcome; nothing is lost, and nothing is sent twice without being told.

The names below load on first use, so that ``import t1data`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from t1data import errors

if TYPE_CHECKING:
    from t1data import forms
    from t1data.audiences.apply import apply_audience
    from t1data.audiences.calls import delete_audience, empty_audience, stamp_audience
    from t1data.audiences.create import create_audience, rename_audience
    from t1data.audiences.diff import diff_audiences
    from t1data.audiences.find import Audience, find_audience
    from t1data.audiences.history import audience_history
    from t1data.audiences.members import fetch_members
    from t1data.audiences.overlaps import Overlaps, overlaps
    from t1data.audiences.plan import plan_audience
    from t1data.audiences.result import AudienceDiff
    from t1data.audiences.sync import plan_sync, sync_audience
    from t1data.audiences.undo import plan_undo, undo_audience
    from t1data.bulk.progress import Control, Progress
    from t1data.bulk.stop import StopReport, stop_run
    from t1data.client import Client
    from t1data.coupons import ReservationPlan, fetch_reservations, plan_reservations, release_coupons, reserve_coupons
    from t1data.erasure import ErasurePlan, EvidenceReport, erase_customers, plan_erasure, purge_people, verify_evidence
    from t1data.exports import MatchKeyReport, export_audience, export_for_machines, export_for_people
    from t1data.history import list_runs, open_run, purge_run, reconcile, resume
    from t1data.inventories import Inventories, fetch_inventories
    from t1data.journal.runs import Run
    from t1data.management import Management
    from t1data.plots import (
        describe,
        plot_balances,
        plot_changes,
        plot_coupons,
        plot_effects,
        plot_outcomes,
        plot_overlaps,
        plot_run,
        save_picture,
    )
    from t1data.profiles import (
        Comparison,
        UpsertPlan,
        check_profiles,
        diff_profiles,
        plan_upsert,
        undo_upsert,
        upsert_profiles,
        verify_profiles,
    )
    from t1data.referrals import ReferralPlan, create_referrals, plan_referrals
    from t1data.sandbox import Sandbox
    from t1data.sessions import RowPlan, plan_events, plan_sessions, summarise_effects, track_events, update_sessions

__all__ = [
    "Audience",
    "AudienceDiff",
    "Client",
    "Comparison",
    "Control",
    "ErasurePlan",
    "EvidenceReport",
    "Inventories",
    "Management",
    "MatchKeyReport",
    "Overlaps",
    "Progress",
    "ReferralPlan",
    "ReservationPlan",
    "RowPlan",
    "Run",
    "Sandbox",
    "StopReport",
    "UpsertPlan",
    "apply_audience",
    "audience_history",
    "check_profiles",
    "create_audience",
    "create_referrals",
    "delete_audience",
    "describe",
    "diff_audiences",
    "diff_profiles",
    "empty_audience",
    "erase_customers",
    "errors",
    "export_audience",
    "export_for_machines",
    "export_for_people",
    "fetch_inventories",
    "fetch_members",
    "fetch_reservations",
    "find_audience",
    "forms",
    "list_runs",
    "open_run",
    "overlaps",
    "plan_audience",
    "plan_erasure",
    "plan_events",
    "plan_referrals",
    "plan_reservations",
    "plan_sessions",
    "plan_sync",
    "plan_undo",
    "plan_upsert",
    "plot_balances",
    "plot_changes",
    "plot_coupons",
    "plot_effects",
    "plot_outcomes",
    "plot_overlaps",
    "plot_run",
    "purge_people",
    "purge_run",
    "reconcile",
    "release_coupons",
    "rename_audience",
    "reserve_coupons",
    "resume",
    "save_picture",
    "stamp_audience",
    "stop_run",
    "summarise_effects",
    "sync_audience",
    "track_events",
    "undo_audience",
    "undo_upsert",
    "update_sessions",
    "upsert_profiles",
    "verify_evidence",
    "verify_profiles",
]

_HOME = {
    "Audience": "t1data.audiences.find",
    "AudienceDiff": "t1data.audiences.result",
    "Client": "t1data.client",
    "Comparison": "t1data.profiles",
    "Control": "t1data.bulk.progress",
    "ErasurePlan": "t1data.erasure",
    "EvidenceReport": "t1data.erasure",
    "Inventories": "t1data.inventories",
    "Management": "t1data.management",
    "MatchKeyReport": "t1data.exports",
    "Overlaps": "t1data.audiences.overlaps",
    "Progress": "t1data.bulk.progress",
    "ReferralPlan": "t1data.referrals",
    "ReservationPlan": "t1data.coupons",
    "RowPlan": "t1data.sessions",
    "Run": "t1data.journal.runs",
    "Sandbox": "t1data.sandbox",
    "StopReport": "t1data.bulk.stop",
    "UpsertPlan": "t1data.profiles",
    "apply_audience": "t1data.audiences.apply",
    "audience_history": "t1data.audiences.history",
    "check_profiles": "t1data.profiles",
    "create_audience": "t1data.audiences.create",
    "create_referrals": "t1data.referrals",
    "delete_audience": "t1data.audiences.calls",
    "describe": "t1data.plots",
    "diff_audiences": "t1data.audiences.diff",
    "diff_profiles": "t1data.profiles",
    "empty_audience": "t1data.audiences.calls",
    "erase_customers": "t1data.erasure",
    "export_audience": "t1data.exports",
    "export_for_machines": "t1data.exports",
    "export_for_people": "t1data.exports",
    "fetch_inventories": "t1data.inventories",
    "fetch_members": "t1data.audiences.members",
    "fetch_reservations": "t1data.coupons",
    "find_audience": "t1data.audiences.find",
    "list_runs": "t1data.history",
    "open_run": "t1data.history",
    "overlaps": "t1data.audiences.overlaps",
    "plan_audience": "t1data.audiences.plan",
    "plan_erasure": "t1data.erasure",
    "plan_events": "t1data.sessions",
    "plan_referrals": "t1data.referrals",
    "plan_reservations": "t1data.coupons",
    "plan_sessions": "t1data.sessions",
    "plan_sync": "t1data.audiences.sync",
    "plan_undo": "t1data.audiences.undo",
    "plan_upsert": "t1data.profiles",
    "plot_balances": "t1data.plots",
    "plot_changes": "t1data.plots",
    "plot_coupons": "t1data.plots",
    "plot_effects": "t1data.plots",
    "plot_outcomes": "t1data.plots",
    "plot_overlaps": "t1data.plots",
    "plot_run": "t1data.plots",
    "purge_people": "t1data.erasure",
    "purge_run": "t1data.history",
    "reconcile": "t1data.history",
    "release_coupons": "t1data.coupons",
    "rename_audience": "t1data.audiences.create",
    "reserve_coupons": "t1data.coupons",
    "resume": "t1data.history",
    "save_picture": "t1data.plots",
    "stamp_audience": "t1data.audiences.calls",
    "stop_run": "t1data.bulk.stop",
    "summarise_effects": "t1data.sessions",
    "sync_audience": "t1data.audiences.sync",
    "track_events": "t1data.sessions",
    "undo_audience": "t1data.audiences.undo",
    "undo_upsert": "t1data.profiles",
    "update_sessions": "t1data.sessions",
    "upsert_profiles": "t1data.profiles",
    "verify_evidence": "t1data.erasure",
    "verify_profiles": "t1data.profiles",
}


def __getattr__(name: str) -> Any:
    if name == "forms":
        return import_module("t1data.forms")
    if name not in _HOME:
        raise AttributeError(f"module 't1data' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
