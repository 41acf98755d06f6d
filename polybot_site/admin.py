"""Access in the admin: users, roles, API tokens; and beat's schedule. A token's text is shown once, right after it was made.

What is scheduled stands in the code (`polybot_site.schedule`); here a periodic task can only be switched off and on.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from django_celery_beat import models as beat
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from polybot_site import tokens
from polybot_site.models import ApiToken
from polybot_site.roles import role_of
from polybot_site.ws.access import Visitor
from polybot_site.ws.control import close_sockets

for _model in (
    User,
    Group,
    beat.PeriodicTask,
    beat.IntervalSchedule,
    beat.CrontabSchedule,
    beat.SolarSchedule,
    beat.ClockedSchedule,
):
    admin.site.unregister(_model)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]  # generic for the type checker only
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "role", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "groups")

    @display(description="role", label={"admin": "danger", "trader": "warning", "viewer": "info"})
    def role(self, user: User) -> str:
        role = role_of(user)
        return "–" if role is None else role.group_name


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """Roles. Their rights are set by the code after every migration."""

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _group: Group | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _group: Group | None = None) -> bool:
        return False


@admin.register(ApiToken)
class ApiTokenAdmin(ModelAdmin):
    """Making a token shows its text once; a revoked token stays in the list."""

    list_display = ("name", "user", "created_at", "last_used_at", "shown_status")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("name", "user__username")
    fields = ("user", "name")
    actions: ClassVar = ["revoke_tokens"]

    @display(description="status", label={"valid": "success", "revoked": "danger"})
    def shown_status(self, token: ApiToken) -> str:
        return "valid" if token.revoked_at is None else "revoked"

    @admin.action(description="Revoke the selected tokens", permissions=["add"])
    def revoke_tokens(self, request: HttpRequest, chosen: QuerySet[ApiToken]) -> None:
        """End tokens and the sockets that were opened with them."""
        for token in chosen.filter(revoked_at=None):
            token.revoked_at = timezone.now()
            token.save(update_fields=["revoked_at"])
            close_sockets(Visitor(token.user_id, token_id=token.pk))
        self.message_user(request, "The tokens open nothing any more.", messages.SUCCESS)

    def save_model(self, request: HttpRequest, token: ApiToken, _form: ModelForm[ApiToken], _change: bool) -> None:
        """Make the token; there is nothing else to save, since tokens cannot be changed."""
        text, made = tokens.issue(user=token.user, name=token.name)
        token.pk = made.pk
        self.message_user(request, f"Token of {token.user}: {text} (it will not be shown again)", messages.WARNING)

    def has_change_permission(self, _request: HttpRequest, _token: ApiToken | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _token: ApiToken | None = None) -> bool:
        return False


@admin.register(beat.PeriodicTask)
class PeriodicTaskAdmin(ModelAdmin):
    list_display = ("name", "task", "schedule", "enabled", "last_run_at", "total_run_count")
    fields = ("name", "task", "schedule", "enabled", "last_run_at", "total_run_count")
    readonly_fields = ("name", "task", "schedule", "last_run_at", "total_run_count")

    @display(description="schedule")
    def schedule(self, task: beat.PeriodicTask) -> str:
        return str(task.scheduler)

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _task: Any = None) -> bool:
        return False
