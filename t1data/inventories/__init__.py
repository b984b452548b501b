"""What customers hold, as tidy frames."""

from t1data.inventories.fetch import fetch_inventories
from t1data.inventories.record import Inventories

__all__ = ["Inventories", "fetch_inventories"]
