"""Who did what, and what stands: commands, leases, halts and the audit log."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from domain.halt import HaltScope
from trading.models.columns import account_column, choices_of


class CommandStatus(models.TextChoices):
    PENDING = "pending"
    DONE = "done"
    REFUSED = "refused"
    EXPIRED = "expired"


class Command(models.Model):
    """What an operator asks of the trader of one account. It expires, and the same idempotency key is carried out once."""

    id = models.UUIDField(primary_key=True)
    account = account_column()
    kind = models.CharField(max_length=24)
    payload = models.JSONField(default=dict)
    idempotency_key = models.CharField(max_length=120, blank=True, default="")
    issued_by = models.CharField(max_length=150)
    issued_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    status = models.CharField(max_length=8, choices=CommandStatus.choices, default=CommandStatus.PENDING)
    result = models.JSONField(default=dict)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "commands"
        ordering = ("-issued_at",)
        indexes = (models.Index(fields=["account", "status", "issued_at"], name="idx_commands_account_status"),)
        constraints = (
            models.UniqueConstraint(
                fields=["idempotency_key"], condition=~Q(idempotency_key=""), name="commands_key_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} by {self.issued_by} ({self.status})"


class Lease(models.Model):
    """Who may trade for an account. The epoch grows with every new holder and fences the old one's journal."""

    account = models.CharField(primary_key=True, max_length=120)
    holder = models.CharField(max_length=120)
    epoch = models.BigIntegerField(default=0)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "leases"

    def __str__(self) -> str:
        return f"{self.account}: {self.holder} (epoch {self.epoch})"


class Halt(models.Model):
    """New risk is stopped for a scope until a named person lifts the halt."""

    id = models.BigAutoField(primary_key=True)
    account = account_column()
    scope = models.CharField(max_length=9, choices=choices_of(HaltScope))
    target = models.CharField(max_length=120, blank=True, default="")
    reason = models.TextField()
    set_by = models.CharField(max_length=150)
    set_at = models.DateTimeField()
    lifted_by = models.CharField(max_length=150, blank=True, default="")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "halts"
        ordering = ("-set_at",)
        constraints = (
            models.UniqueConstraint(
                fields=["account", "scope", "target"], condition=Q(lifted_at__isnull=True), name="halts_active_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.scope} {self.target}: {self.reason}"


class AuditLog(models.Model):
    """What happened and who did it. Append-only."""

    id = models.BigAutoField(primary_key=True)
    event = models.CharField(max_length=60)
    account = models.CharField(max_length=120, blank=True, default="")
    detail = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "audit_log"
        verbose_name_plural = "audit log"
        ordering = ("-id",)
        indexes = (models.Index(fields=["event", "created_at"], name="idx_audit_event"),)

    def __str__(self) -> str:
        return self.event
