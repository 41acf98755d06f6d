"""Pages of a table, newest first: {"next": cursor or null, "results": […]}, with `limit` and `cursor` as parameters."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response


class NewestFirst(CursorPagination):
    """`ordering` of the view decides; positions in a page are stable while rows arrive."""

    page_size = 100
    max_page_size = 500
    page_size_query_param = "limit"

    def get_paginated_response(self, data: Any) -> Response:
        link = self.get_next_link()
        cursor = parse_qs(urlsplit(link).query)[self.cursor_query_param][0] if link else None
        return Response({"next": cursor, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        cursor = {"type": "string", "nullable": True, "description": "value of `cursor` for the next page"}
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {"next": cursor, "results": schema},
        }

    def decode_cursor(self, request: Request) -> Any:
        try:
            return super().decode_cursor(request)
        except NotFound:
            raise ValidationError({"cursor": ["Expected the `next` of an earlier page."]}) from None

    def get_page_size(self, request: Request) -> int:
        text = request.query_params.get(self.page_size_query_param, str(self.page_size))
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= self.max_page_size):
            raise ValidationError({"limit": [f"Expected a whole number from 1 to {self.max_page_size}."]})
        return int(text)

    def get_ordering(self, _request: Any, _queryset: Any, view: Any) -> tuple[str, ...]:
        ordering: tuple[str, ...] = view.ordering
        return ordering
