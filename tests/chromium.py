"""The browser that this machine has."""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM = os.environ.get("T1DATA_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
NONE_FOUND = f"no Chromium or Chrome was found ({', '.join(NAMES)}), so the walks through the forms did not run"
REQUIRED = os.environ.get("T1DATA_BROWSER") == "required"
