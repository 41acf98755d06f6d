"""Addresses of the trading API, below /api/."""

from __future__ import annotations

from django.urls import path

from trading.api import report_views, views

urlpatterns = [
    path("orders", views.OrdersView.as_view(), name="orders"),
    path("orders/<str:order_id>", views.OrderView.as_view(), name="order"),
    path("positions", views.PositionsView.as_view(), name="positions"),
    path("fills", views.FillsView.as_view(), name="fills"),
    path("ledger", views.LedgerView.as_view(), name="ledger"),
    path("reports/profit", report_views.ProfitReportView.as_view(), name="report-profit"),
    path("reports/statement", report_views.StatementView.as_view(), name="report-statement"),
    path("reports/fills", report_views.FillsReportView.as_view(), name="report-fills"),
    path("halt", views.HaltView.as_view(), name="halt"),
    path("accounts", views.AccountsView.as_view(), name="accounts"),
    path("status", views.StatusView.as_view(), name="status"),
    path("commands/<uuid:command_id>", views.CommandView.as_view(), name="command"),
]
