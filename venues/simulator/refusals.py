"""What the venue says when it refuses: one exception, with the HTTP status and the exact text of the venue's error catalogue."""

from __future__ import annotations


class RefusalError(Exception):
    """Ends a request with `status` and the body {"error": text}."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


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
