"""Customer profiles from files and frames: check, plan, upsert; hold them against the account, and take back."""

from t1data.profiles.compare import Comparison
from t1data.profiles.differ import diff_profiles, verify_profiles
from t1data.profiles.plan import UpsertPlan
from t1data.profiles.undo import undo_upsert
from t1data.profiles.upsert import check_profiles, plan_upsert, upsert_profiles

__all__ = [
    "Comparison",
    "UpsertPlan",
    "check_profiles",
    "diff_profiles",
    "plan_upsert",
    "undo_upsert",
    "upsert_profiles",
    "verify_profiles",
]
