"""Addresses of the market API, below /api/."""

from __future__ import annotations

from django.urls import path

from markets.api.views import MarketsView, MarketView

urlpatterns = [
    path("markets", MarketsView.as_view(), name="markets"),
    path("markets/<str:market_id>", MarketView.as_view(), name="market"),
]
