"""Refuses addresses with a NUL character before a view reads them: PostgreSQL's texts hold none, and would fail where nobody expects it."""

from __future__ import annotations

from collections.abc import Awaitable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase

from polybot_site.errors import refusal_body
from polybot_site.security import Answer


class NulGuard:
    """Middleware; works in both of Django's worlds."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            refused = JsonResponse(
                refusal_body("invalid_address", "The address has a NUL character in it."), status=400
            )
            return _later(refused) if iscoroutinefunction(self) else refused
        return self._get_response(request)


async def _later(response: HttpResponseBase) -> HttpResponseBase:
    return response
