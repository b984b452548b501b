"""Files for people, for machines and for ad platforms.

What is safe for one is wrong for the others, so each has its own function and none guesses.
"""

from t1data.exports.ads import export_audience
from t1data.exports.machines import export_for_machines
from t1data.exports.people import export_for_people
from t1data.exports.quality import KeyQuality, MatchKeyReport

__all__ = ["KeyQuality", "MatchKeyReport", "export_audience", "export_for_machines", "export_for_people"]
