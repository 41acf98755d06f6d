"""Registers the arbitrage tables with Django."""

from django.apps import AppConfig


class ArbitrageConfig(AppConfig):
    name = "arbitrage"
    label = "arbitrage"
    verbose_name = "Arbitrage"
    default_auto_field = "django.db.models.BigAutoField"
