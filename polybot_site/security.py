"""Headers that tell browsers what a page may do. Pages run only our own scripts, are framed by nobody and send data nowhere else.

The admin's interface library evaluates expressions and styles elements in place, so its pages and the login page may do that; the API's
documentation may style itself. Nothing else may.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_BASE = "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; img-src 'self' data:"
STRICT = f"{_BASE}; script-src 'self'; style-src 'self'"
STYLED = f"{_BASE}; script-src 'self'; style-src 'self' 'unsafe-inline'"
ADMIN = f"{_BASE}; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'"
_BY_PREFIX = (("/admin/", ADMIN), ("/login/", ADMIN), ("/api/docs/", STYLED))
_FEATURES = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"

Answer = Callable[[HttpRequest], HttpResponseBase] | Callable[[HttpRequest], Awaitable[HttpResponseBase]]


class SecurityHeaders:
    """Middleware that adds the headers above; works in both of Django's worlds."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        response = self._get_response(request)
        if isinstance(response, HttpResponseBase):
            return add_headers(request, response)
        return self._later(request, response)

    async def _later(self, request: HttpRequest, response: Awaitable[HttpResponseBase]) -> HttpResponseBase:
        return add_headers(request, await response)


def add_headers(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Set the headers that `response` does not have yet."""
    policy = next((policy for prefix, policy in _BY_PREFIX if request.path.startswith(prefix)), STRICT)
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("Permissions-Policy", _FEATURES)
    if not request.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response
