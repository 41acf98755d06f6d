"""Django's settings for tests: defaults only, whatever this machine's `config.toml` or environment says, and a `var/` of their own."""

import os
import tempfile
from pathlib import Path

for _name in [name for name in os.environ if name.startswith(("POLYBOT_", "S3_")) and name != "POLYBOT_DATA"]:
    del os.environ[_name]
os.environ.pop("DATABASE_URL", None)
os.environ.pop("REDIS_URL", None)
os.environ["POLYBOT_CONFIG"] = ""
os.environ["POLYBOT_VAR"] = str(Path(tempfile.gettempdir()) / f"polybot-tests-{os.getuid()}")

from polybot_site.settings import *  # noqa: E402

# Real hashes are slow on purpose.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
