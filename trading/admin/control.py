"""Commands, halts, the audit log and leases in the admin: who did what, and what stands."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from trading import models
from trading.admin.columns import AccountFilter, TableAdmin, facts, moment, state

_COMMAND_COLOURS = {"done": "success", "refused": "danger", "expired": "warning", "pending": "info"}


@admin.register(models.Command)
class CommandAdmin(TableAdmin):
    list_display = (
        moment("issued_at"),
        "kind",
        "issued_by",
        state("status", _COMMAND_COLOURS),
        "shown_payload",
        "shown_result",
        moment("finished_at", "finished"),
    )
    list_filter = (AccountFilter, "status", "kind", "issued_by")
    search_fields = ("id", "issued_by", "idempotency_key", "payload")
    date_hierarchy = "issued_at"

    @display(description="payload")
    def shown_payload(self, command: models.Command) -> str:
        return facts(command.payload)

    @display(description="result")
    def shown_result(self, command: models.Command) -> str:
        return facts(command.result)


@admin.register(models.Halt)
class HaltAdmin(TableAdmin):
    list_display = (
        moment("set_at"),
        "scope",
        "target",
        "reason",
        "set_by",
        "active",
        "lifted_by",
        moment("lifted_at", "lifted"),
    )
    list_filter = (AccountFilter, "scope", ("lifted_at", admin.EmptyFieldListFilter))
    search_fields = ("target", "reason", "set_by", "lifted_by")

    @display(description="active", boolean=True)
    def active(self, halt: models.Halt) -> bool:
        return halt.lifted_at is None


@admin.register(models.AuditLog)
class AuditLogAdmin(TableAdmin):
    list_display = (moment("created_at"), "event", "shown_detail", "account")
    list_filter = (AccountFilter, "event")
    search_fields = ("event", "detail")
    date_hierarchy = "created_at"

    @display(description="detail")
    def shown_detail(self, entry: models.AuditLog) -> str:
        return facts(entry.detail)


@admin.register(models.Lease)
class LeaseAdmin(TableAdmin):
    list_display = ("account", "holder", "epoch", moment("expires_at", "expires"))
