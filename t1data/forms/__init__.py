"""Forms for notebooks: the jobs of t1data for people who write no code.

``connect`` has a client once a person has connected, and the other forms take it, or a `Client`, as their first
argument. Each form is shown by the last line of a cell. ``form.run`` is what the public function returned, and
``form.code()`` are the lines of Python and of a shell that do the same.

A form adds nothing to what the functions do: it asks, shows, and lets a person pause, cancel and resume.
"""

from t1data.forms.audiences import audiences
from t1data.forms.connect import connect
from t1data.forms.coupons import coupons
from t1data.forms.erasure import erasure
from t1data.forms.inventories import inventories
from t1data.forms.referrals import referrals
from t1data.forms.runs import runs
from t1data.forms.sessions import sessions
from t1data.forms.upsert import upsert

__all__ = [
    "audiences",
    "connect",
    "coupons",
    "erasure",
    "inventories",
    "referrals",
    "runs",
    "sessions",
    "upsert",
]
