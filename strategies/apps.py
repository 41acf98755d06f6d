"""Registers the strategy tables with Django."""

from django.apps import AppConfig


class StrategiesConfig(AppConfig):
    name = "strategies"
    label = "strategies"
    verbose_name = "Strategies"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell the floor below which strategies there are, so that a halt of one is checked also while no trader runs."""
        from strategies.catalog import CATALOG
        from trading.halt_targets import know_strategies

        know_strategies(CATALOG)
