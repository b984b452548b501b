"""A local Talon.One to work and test against: real HTTP on loopback, state in SQLite, faults on demand."""

from t1data.sandbox.faults import Close, Delay, Fault, Half, Raw, Reset, Slow, Status
from t1data.sandbox.local import Sandbox
from t1data.sandbox.log import Seen
from t1data.sandbox.options import Options

__all__ = [
    "Close",
    "Delay",
    "Fault",
    "Half",
    "Options",
    "Raw",
    "Reset",
    "Sandbox",
    "Seen",
    "Slow",
    "Status",
]
