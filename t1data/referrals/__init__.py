"""Referral codes for many advocates."""

from t1data.referrals.create import create_referrals, plan_referrals
from t1data.referrals.plan import ReferralPlan

__all__ = ["ReferralPlan", "create_referrals", "plan_referrals"]
