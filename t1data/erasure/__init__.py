"""Erasure of personal data: planned, confirmed by number, proved, and kept as evidence that names nobody."""

from t1data.erasure.erase import erase_customers
from t1data.erasure.plan import ErasurePlan, plan_erasure
from t1data.erasure.purge import purge_people
from t1data.erasure.verify import EvidenceReport, verify_evidence

__all__ = ["ErasurePlan", "EvidenceReport", "erase_customers", "plan_erasure", "purge_people", "verify_evidence"]
