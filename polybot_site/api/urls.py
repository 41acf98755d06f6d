"""Addresses below /api/."""

from __future__ import annotations

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

import polybot_site.api.schema  # noqa: F401 - registers itself with the description
from polybot_site.api.stream import StreamView
from polybot_site.api.views import HealthView, LiveView, MeView, NowhereView, ShadowView

urlpatterns = [
    path("health", HealthView.as_view(), name="health"),
    path("health/live", LiveView.as_view(), name="live"),
    path("me", MeView.as_view(), name="me"),
    path("shadow", ShadowView.as_view(), name="shadow"),
    path("stream", StreamView.as_view(), name="stream"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("", include("markets.api.urls")),
    path("", include("strategies.api.urls")),
    path("", include("trading.api.urls")),
    path("", include("arbitrage.api.urls")),
    re_path("", NowhereView.as_view()),
]
