"""Send a file of many rows, kill the sender half-way, go on; watch memory, the journal's size and the way back.

python -m benchmarks.soak --rows 10000000

Client and server are processes of their own. The server reads bodies and throws them away; the memory of the client is
looked at once in every fiftieth of the rows, and its slope is taken after the first tenth.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.children import kill
from benchmarks.figures import report
from benchmarks.jobs import KEY
from tests.fault_server import Caller, FaultServer, message_of

ROOT = Path(__file__).resolve().parents[1]
BATCH, PART = 1000, 100_000
MOST_MEMORY, STEEPEST = 300.0, 1.0  # MB; MB for each million rows
MOST_JOURNAL, LATEST = 5e6, 30.0  # bytes for ten million rows; seconds until the first row of a resume is accepted
