"""Customer sessions and events, for many at once, and the effects that they have."""

from t1data.sessions.effects import summarise_effects
from t1data.sessions.plan import RowPlan
from t1data.sessions.track import plan_events, track_events
from t1data.sessions.update import plan_sessions, update_sessions

__all__ = ["RowPlan", "plan_events", "plan_sessions", "summarise_effects", "track_events", "update_sessions"]
