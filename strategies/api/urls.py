"""Addresses of strategies below /api/."""

from django.urls import path

from strategies.api.views import StrategiesView, StrategyView

urlpatterns = [
    path("strategies", StrategiesView.as_view(), name="strategies"),
    path("strategies/<str:name>", StrategyView.as_view(), name="strategy"),
]
