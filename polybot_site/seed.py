"""The first user: whoever starts polybot gets a login and an API token, the same ones at every start.

`var/run.json` remembers them (the launcher writes it). A password its owner changed since is left alone and comes back empty; without the
file a new password is set, so that deleting it is the way back in.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from polybot_site import tokens
from polybot_site.run_file import RunFile

TOKEN_NAME = "make run"  # noqa: S105 - a label


@dataclass(frozen=True, slots=True)
class Credentials:
    """A working login; `password` is "" when its owner has changed it."""

    username: str
    password: str
    api_token: str


@transaction.atomic
def seed(username: str) -> Credentials:
    """Make sure that superuser `username` exists and return credentials that work, those of the last run if possible."""
    kept = RunFile.read()
    if kept is not None and kept.username != username:
        kept = None
    user, created = User.objects.get_or_create(username=username, defaults={"is_staff": True, "is_superuser": True})
    password = "" if kept is None else kept.password
    if created or kept is None:
        password = password or secrets.token_urlsafe(12)
        user.set_password(password)
        user.save(update_fields=["password"])
    elif not user.check_password(password):
        password = ""
    return Credentials(username, password, _working_token(user, kept))


def _working_token(user: User, kept: RunFile | None) -> str:
    if kept is not None:
        token = tokens.verify(kept.api_token)
        if token is not None and token.user_id == user.pk:
            return kept.api_token
    tokens.revoke(user=user, name=TOKEN_NAME)
    text, _ = tokens.issue(user=user, name=TOKEN_NAME)
    return text
