"""Registers the strategy tables with Django."""

from django.apps import AppConfig


class StrategiesConfig(AppConfig):
    name = "strategies"
    label = "strategies"
    verbose_name = "Strategies"
    default_auto_field = "django.db.models.BigAutoField"
