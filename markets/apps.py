"""Registers the market tables with Django."""

from django.apps import AppConfig


class MarketsConfig(AppConfig):
    name = "markets"
    label = "markets"
    verbose_name = "Markets"
    default_auto_field = "django.db.models.BigAutoField"
