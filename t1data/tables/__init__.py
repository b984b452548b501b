"""Files and frames to typed columns to JSON bodies."""
