"""Where recordings are looked for; tests that want one are skipped when it is not there."""

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("POLYBOT_DATA") or Path(__file__).parents[4] / "shared" / "data")

needs_recordings = pytest.mark.skipif(not DATA.is_dir(), reason="recordings are not here (POLYBOT_DATA)")
