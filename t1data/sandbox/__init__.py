"""A local Talon.One to work and test against: real HTTP on loopback, state in SQLite, faults on demand.

Any client can be pointed at it, in any language: `Sandbox` runs it in this process, `run.run` (behind
``t1data sandbox`` and ``python -m t1data.sandbox``) as one of its own. What it holds at the start comes from a
`seed`; what no document settles about the API is a switch of `Options`; what shall go wrong is put into
``sandbox.faults``; what it saw stands in ``sandbox.requests``. It serves its own OpenAPI document at
``/openapi.json``.

Examples
--------
>>> with Sandbox() as sandbox:
...     sandbox.load({"audiences": [{"name": "VIP", "members": ["00001"]}]})
...     fault = sandbox.faults.add(Status(503), on="update_customer_profiles_v2", first=2)
...     len(sandbox.requests)
0
"""

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
