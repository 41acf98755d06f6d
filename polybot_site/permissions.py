"""The REST API's default: reading needs a viewer, changing anything a trader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from polybot_site.roles import Role, role_of

if TYPE_CHECKING:  # the framework's views import this module
    from rest_framework.views import APIView


class RolePermission(BasePermission):
    message = "Your role does not allow this."

    def has_permission(self, request: Request, _view: APIView) -> bool:
        role = role_of(request.user)
        needed = Role.VIEWER if request.method in SAFE_METHODS else Role.TRADER
        return role is not None and role >= needed
