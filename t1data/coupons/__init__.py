"""Reservations of coupons: made, taken back, and read."""

from t1data.coupons.holders import fetch_reservations
from t1data.coupons.plan import ReservationPlan
from t1data.coupons.reserve import plan_reservations, release_coupons, reserve_coupons

__all__ = ["ReservationPlan", "fetch_reservations", "plan_reservations", "release_coupons", "reserve_coupons"]
