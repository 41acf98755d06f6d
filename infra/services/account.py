"""Which operating-system user the servers run as. PostgreSQL refuses to run as root, so root hands both servers to `nobody`."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.errors import ServiceError

_UNPRIVILEGED = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """The user servers run as. `switch` is True when that is another user than ours."""

    uid: int
    gid: int
    switch: bool

    @classmethod
    def for_servers(cls) -> Account:
        """Return our own user, or `nobody` when we are root."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), switch=False)
        try:
            entry = pwd.getpwnam(_UNPRIVILEGED)
        except KeyError:
            raise ServiceError(
                f"PostgreSQL refuses to run as root and there is no user {_UNPRIVILEGED!r}: run polybot as another user"
            ) from None
        return cls(entry.pw_uid, entry.pw_gid, switch=True)

    def owns(self, path: Path) -> None:
        """Give `path` to this user."""
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def reaches(self, path: Path) -> bool:
        """Tell whether this user may enter the folder, or execute the file, at `path`."""
        if not self.switch:
            return os.access(path, os.X_OK)
        check = subprocess.run(
            ["/usr/bin/env", "test", "-x", str(path)], check=False, cwd="/", **self.popen_arguments()
        )
        return check.returncode == 0

    def popen_arguments(self) -> dict[str, Any]:
        """Return the arguments that make `subprocess` start a program as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.switch else {}
