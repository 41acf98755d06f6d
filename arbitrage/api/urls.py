"""Addresses of arbitrage, below /api/."""

from __future__ import annotations

from django.urls import path

from arbitrage.api import views

urlpatterns = [
    path("arbitrage/profit", views.ProfitView.as_view(), name="arbitrage-profit"),
    path("arbitrage/executions", views.ExecutionsView.as_view(), name="arbitrage-executions"),
    path("arbitrage/executions/<uuid:execution_id>", views.ExecutionView.as_view(), name="arbitrage-execution"),
]
