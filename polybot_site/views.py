"""The pages that are not API: the dashboard at `/` and the login."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from infra.paths import ROOT
from polybot_site.login import LoginForm

INDEX = ROOT / "dashboard" / "dist" / "index.html"
_NOT_BUILT = "The dashboard is not built yet: run `make run`, or `npm ci && npm run build` in dashboard/.\n"


@require_safe
@ensure_csrf_cookie
def dashboard(_request: HttpRequest) -> HttpResponse:
    """Answer with the built dashboard; 503 with the fix while there is none."""
    try:
        page = INDEX.read_bytes()
    except FileNotFoundError:
        return HttpResponse(_NOT_BUILT, status=503, content_type="text/plain; charset=utf-8")
    return HttpResponse(page, content_type="text/html; charset=utf-8")


@method_decorator(login_not_required, name="dispatch")
class Favicon(RedirectView):
    """Where browsers look for the icon of pages that name none."""

    def get_redirect_url(self, *_args: Any, **_kwargs: Any) -> str:
        return static("polybot/favicon.svg")


class Login(LoginView):
    """The login page, in the admin's dress."""

    template_name = "admin/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        site = admin.site.each_context(self.request)
        return super().get_context_data(**kwargs) | site | {"title": "Log in", "app_path": self.request.get_full_path()}
