"""Where polybot keeps what it writes: `var/` beside `manage.py`, or the folder POLYBOT_VAR names."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def var_dir() -> Path:
    """Return the folder for data, logs and state, absolute. It may not exist yet."""
    return Path(os.environ.get("POLYBOT_VAR") or ROOT / "var").absolute()
