"""Who may do what: viewers look, traders trade and stop, admins also manage users. Someone without a role may do nothing.

Roles are the groups `viewer`, `trader` and `admin`; a superuser is an admin. A higher role includes the lower ones.
"""

from __future__ import annotations

from enum import IntEnum

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission, User


class Role(IntEnum):
    VIEWER = 1
    TRADER = 2
    ADMIN = 3

    @property
    def group_name(self) -> str:
        return self.name.lower()


_BY_GROUP = {role.group_name: role for role in Role}


def role_of(user: AbstractBaseUser | AnonymousUser) -> Role | None:
    """Return the highest role of `user`, None for nobody in particular."""
    if not isinstance(user, User) or not user.is_active:
        return None
    if user.is_superuser:
        return Role.ADMIN
    names = user.groups.filter(name__in=_BY_GROUP).values_list("name", flat=True)
    return max((_BY_GROUP[name] for name in names), default=None)


def sync_roles() -> None:
    """Make the three groups and give them their rights in the admin: viewers and traders look, admins change."""
    look = Permission.objects.filter(codename__startswith="view_")
    for role in Role:
        group, _ = Group.objects.get_or_create(name=role.group_name)
        group.permissions.set(Permission.objects.all() if role is Role.ADMIN else look)
