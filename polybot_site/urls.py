"""All addresses of the site. Everything needs a login or a token except the login page, its icon and the sign of life."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from polybot_site.api.views import MetricsView
from polybot_site.views import Favicon, Login, dashboard

urlpatterns = [
    path("", dashboard, name="dashboard"),
    path("login/", Login.as_view(), name="login"),
    path("favicon.ico", Favicon.as_view(), name="favicon"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("api/", include("polybot_site.api.urls")),
    path("metrics", MetricsView.as_view(), name="metrics"),
]
