"""What a database error means for the journal: a row that was refused, or a storage that takes none now, with the fix. Pure."""

from __future__ import annotations

import psycopg

from domain.errors import JournalError, JournalUnavailableError, JournalUncertainError

_FIXES = {
    "25006": "the database is read-only: make it writable again, or point DATABASE_URL at the primary",
    "42P01": "a table is missing: run `manage.py migrate`, or restore it from a backup",
    "42703": "a column is missing: run `manage.py migrate`",
    "42501": "the database role may not write: grant it its rights again",
    "53100": "the database's disk is full: free space there",
}
"""By SQLSTATE."""
_STORAGE = {
    "08": "the connection to the database was lost: see whether it runs",
    "25": "the database takes no writes now: see its log",
    "28": "the database refuses the login: see DATABASE_URL",
    "3D": "the database is gone: see DATABASE_URL",
    "3F": "the schema is gone: restore it from a backup",
    "40": "the database was busy: nothing has to be done",
    "42": "the tables are not those of this version: run `manage.py migrate`",
    "53": "the database is short of resources: see its log",
    "55": "the database is busy: see its log",
    "57": "the database stopped what it was asked, or is shutting down: see its log",
    "58": "the database's disk fails: see its log",
    "XX": "the database found its files damaged: see its log, restore from a backup",
}
"""By the class of the SQLSTATE: nothing that is written now would fare better, the same row may later. Source: PostgreSQL, appendix A."""


def journal_error(error: Exception) -> JournalError:
    """Return the journal's error for a failed statement or connection; `JournalUnavailableError` when it says nothing about the row."""
    state = getattr(error, "sqlstate", None) or ""
    text = " ".join(str(error).split())
    if not state and isinstance(error, psycopg.OperationalError):
        return JournalUnavailableError(f"{text} ({_STORAGE['08']})")
    fix = _FIXES.get(state) or _STORAGE.get(state[:2])
    return JournalUnavailableError(f"{text} ({fix})") if fix else JournalError(f"not written: {text}")


def commit_error(error: Exception) -> JournalError:
    """Return the journal's error for a COMMIT: what the server refuses was not written; when it says nothing, or goes away, nobody knows."""
    state = getattr(error, "sqlstate", None) or ""
    if state[:2] in ("", "08", "57"):
        return JournalUncertainError(f"commit broke off: {error}")
    return journal_error(error)
