"""`var/run.json`: where the running platform is and how to log in. Readable by its owner only, kept across runs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from domain.errors import PolybotError
from infra.files import write_private
from infra.paths import var_dir


@dataclass(frozen=True, slots=True)
class RunFile:
    """Address and login of the running platform."""

    url: str
    username: str
    password: str
    api_token: str

    def write(self) -> None:
        """Replace the file."""
        write_private(_path(), json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls) -> RunFile | None:
        """Return what the last run wrote, None when there was none.

        Raises:
            PolybotError: the file is not what a run writes.
        """
        try:
            return cls(**json.loads(_path().read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise PolybotError(
                f"{_path()} cannot be read ({error}): delete it, a new login is made at the next start"
            ) from None


def _path() -> Path:
    return var_dir() / "run.json"
