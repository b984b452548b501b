"""Files and frames to typed columns to JSON bodies."""

from t1data.tables.problems import REASONS, Problem
from t1data.tables.source import JSON_FLAG, SLICE_ROWS, Slice, Source, open_source

__all__ = ["JSON_FLAG", "REASONS", "SLICE_ROWS", "Problem", "Slice", "Source", "open_source"]
