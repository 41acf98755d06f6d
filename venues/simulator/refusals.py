"""What the venue says when it refuses: one exception, with the HTTP status and the exact text of the venue's error catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class RefusalError(Exception):
    """Ends a request with `status`, `headers` and the body {"error": text, **details}; `page` is a whole HTML body instead."""

    def __init__(
        self,
        status: int,
        text: str,
        details: Mapping[str, Any] = _NOTHING,
        headers: Mapping[str, str] = _NOTHING,
        page: str = "",
    ) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.details = details
        self.headers = headers
        self.page = page


def unauthorized() -> RefusalError:
    return RefusalError(401, "Unauthorized/Invalid api key")


def invalid_l1_headers() -> RefusalError:
    return RefusalError(401, "Invalid L1 Request headers")


def bad_request(text: str) -> RefusalError:
    return RefusalError(400, text)


def no_orderbook() -> RefusalError:
    return RefusalError(404, "No orderbook exists for the requested token id")


def market_not_found() -> RefusalError:
    return RefusalError(404, "market not found")


def too_many_requests(seconds: int, headers: Mapping[str, str]) -> RefusalError:
    """A budget is used up; `seconds` from now there is enough for the same again."""
    return RefusalError(429, "Too Many Requests", headers={**headers, "Retry-After": str(seconds)})


def service_not_ready(seconds: int) -> RefusalError:
    """The matching engine restarts and will take `seconds`."""
    return RefusalError(425, "Service is not ready", headers={"Retry-After": str(seconds)})


def post_only_mode(seconds: int) -> RefusalError:
    """The engine has just restarted: nothing may match for `seconds`."""
    return RefusalError(
        503,
        "post-only mode: only post-only orders and cancels are allowed",
        {"code": "post_only_mode", "retry_after_seconds": seconds},
        {"Retry-After": str(seconds)},
    )


def cancel_only() -> RefusalError:
    return RefusalError(503, "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed.")


def trading_disabled() -> RefusalError:
    return RefusalError(503, "Trading is currently disabled. Check polymarket.com for updates")


def turned_away() -> RefusalError:
    """The edge, not the venue, refuses a region or a program: a page, as it answers everybody."""
    page = "<!DOCTYPE html><html><head><title>403 Forbidden</title></head><body><h1>Access denied</h1></body></html>"
    return RefusalError(403, "Forbidden", page=page)
