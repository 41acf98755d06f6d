"""Keeps what is in this process' memory from files and from other processes. Where the system refuses, it says so with `ServiceError`."""

from __future__ import annotations

import ctypes
import os
import resource

from infra.errors import ServiceError

_PR_SET_DUMPABLE = 4


def seal_memory() -> None:
    """Allow no core dump, and no reading of this process' memory by another process of the same user. Raises `ServiceError` where that is refused."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise ServiceError(f"the memory of this process cannot be sealed: {os.strerror(ctypes.get_errno())}")
