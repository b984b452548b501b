"""Referral codes for many advocates."""

from t1data.referrals.create import create_referrals

__all__ = ["create_referrals"]
