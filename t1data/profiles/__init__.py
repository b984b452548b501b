"""Customer profiles from files and frames: check, plan, upsert."""

from t1data.profiles.plan import UpsertPlan
from t1data.profiles.upsert import check_profiles, plan_upsert, upsert_profiles

__all__ = ["UpsertPlan", "check_profiles", "plan_upsert", "upsert_profiles"]
