"""The strategy table, named as in the specification: what each strategy is set to. Rows are written by `strategies.configs` alone."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class StrategyConfig(models.Model):
    """Parameters and switch of one strategy. `updated_at` grows with every change, so the newer of two copies is known."""

    name = models.TextField(primary_key=True)
    config_json = models.JSONField(help_text="parameters by name; validated by the strategy's own declaration")
    enabled = models.BooleanField(default=True, db_default=True)
    updated_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "strategy_configs"
        ordering = ["name"]
        verbose_name = "strategy"
        verbose_name_plural = "strategies"

    def __str__(self) -> str:
        return self.name
