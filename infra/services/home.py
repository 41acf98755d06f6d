"""The folder the servers' data lives in, and programs where the servers' user can execute them.

That is `var/` itself, unless the servers run as another user who cannot enter it (a checkout below a folder that only root may enter). Then it
is a folder of its own below `/var/lib/polybot`, remembered by the caller so that later starts find the data again.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from infra.errors import ServiceError
from infra.services.account import Account
from infra.services.programs import Program

REACHABLE_ROOT = Path("/var/lib/polybot")


def choose(var: Path, account: Account, root: Path = REACHABLE_ROOT) -> Path:
    """Return a folder that `account` can enter: `var` when possible, else one below `root` that belongs to `var`. Creates it."""
    for folder in (var, root / hashlib.sha256(str(var).encode()).hexdigest()[:16]):
        try:
            folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        except OSError as error:
            raise ServiceError(f"{folder} cannot be made: {error}; set POLYBOT_VAR to a folder you may write") from None
        if account.reaches(folder):
            return folder
    raise ServiceError(
        f"the servers' user can enter neither {var} nor {root}: set POLYBOT_VAR to a folder it can enter"
    )


def server_folder(home: Path, name: str, account: Account) -> Path:
    """Return the private folder of one server, owned by `account`; makes it at first."""
    folder = home / name
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        account.owns(folder)
        next(folder.iterdir(), None)
    except PermissionError:
        raise ServiceError(
            f"{folder} belongs to another user: run polybot as that user, or set POLYBOT_VAR to another folder"
        ) from None
    return folder


def executable(program: Program, home: Path, account: Account) -> Path | None:
    """Return the program's file where `account` can execute it: in place, or as a copy below `home`; None when it cannot be copied.

    A copy is made once for each build of the program and appears in one step.
    """
    if account.reaches(program.path):
        return program.path
    if not program.parts:
        return None
    stat = program.path.stat()
    copy = home / "programs" / f"{program.path.name}-{program.version_text}-{stat.st_size}-{stat.st_mtime_ns}"
    if not copy.exists():
        copy.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=copy.parent) as name:
            draft = Path(name) / "tree"
            for part in program.parts:
                target = draft / part.relative_to(program.base)
                target.parent.mkdir(parents=True, exist_ok=True)
                if part.is_dir():
                    shutil.copytree(part, target, symlinks=True)
                else:
                    shutil.copy2(part, target)
            _open_to_all(draft)
            draft.rename(copy)
    return copy / program.path.relative_to(program.base)


def _open_to_all(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(0o755 if path.is_dir() or mode & 0o100 else 0o644)
