"""HTTP for everything but orders: one shared session, bounded answers, errors as the domain knows them.

A request is made once, when its budget has room (`pace`); whoever asks decides whether to ask again. The venue's own 404 raises `NotFoundError`,
its "not now" (425, 429, 503) and a budget without room raise `VenueUnavailableError`, every other failure raises `VenueError` naming the path,
the status and the beginning of a refusal. A 404 page of something in between is such a failure too: it says nothing about what the venue knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aiohttp
import msgspec

from domain.errors import VenueError, VenueUnavailableError
from venues.polymarket.config import USER_AGENT
from venues.polymarket.decoding import UNDECODABLE
from venues.polymarket.pace import OverBudgetError, Pace

MAX_ANSWER_BYTES = 64 * 1024 * 1024
_NOT_NOW = frozenset({425, 429, 503})

Query = Sequence[tuple[str, str]]


class NotFoundError(VenueError):
    """The venue does not know what was asked for (404)."""


class _ErrorBody(msgspec.Struct):
    error: str = ""


def open_session(*, timeout: float = 10.0, connections: int = 20) -> aiohttp.ClientSession:
    """Return a session for `HttpClient`; whoever opens it closes it."""
    return aiohttp.ClientSession(
        headers={"User-Agent": USER_AGENT},
        timeout=aiohttp.ClientTimeout(total=timeout),
        connector=aiohttp.TCPConnector(limit=connections),
    )


class HttpClient:
    """Requests to one host, whose budgets are `pace`."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession, pace: Pace) -> None:
        self._base_url = base_url
        self._session = session
        self._pace = pace

    async def get(self, path: str, query: Query = (), headers: Mapping[str, str] | None = None) -> bytes:
        """Return the body of a 200 answer."""
        return await self._request("GET", path, query=query, headers=headers)

    async def post(self, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
        """Return the body of a 200 answer to a JSON body."""
        return await self._request("POST", path, body=body, headers=headers)

    async def _request(
        self, method: str, path: str, *, query: Query = (), body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> bytes:
        sent = dict(headers or {})
        if body:
            sent["Content-Type"] = "application/json"
        try:
            ticket = await self._pace.admit(method, path)
        except OverBudgetError as error:
            raise VenueUnavailableError(f"{method} {path} was not sent: {error}", error.retry_after) from None
        status, told = 0, dict[str, str]()
        try:
            async with self._session.request(
                method,
                self._base_url + path,
                params=list(query),
                data=body or None,
                headers=sent,
                allow_redirects=False,
            ) as answer:
                content = await _read(answer, path)
                status, told = answer.status, {name.lower(): value for name, value in answer.headers.items()}
        except TimeoutError:
            raise VenueError(f"{method} {path}: no answer in time") from None
        except aiohttp.ClientError as error:
            raise VenueError(f"{method} {path}: {type(error).__name__}: {error}") from error
        finally:
            self._pace.answered(ticket, status, told)
        if status == 200:
            return content
        # What did not refuse may have granted: its text could be a secret.
        text = f"{method} {path}: the venue answered {status} {error_text(content) if status >= 400 else ''!r}"
        if status == 404 and _error_of(content):
            raise NotFoundError(text)
        raise (
            VenueUnavailableError(text, seconds_of(told.get("retry-after"))) if status in _NOT_NOW else VenueError(text)
        )


def seconds_of(text: str | None) -> float | None:
    """Return a header's whole number of seconds, None for anything else (`Retry-After` may also be a date)."""
    return float(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 10 else None


def error_text(body: bytes) -> str:
    """Return the `error` of a JSON error body, or the beginning of any other body."""
    return _error_of(body) or body[:200].decode("utf-8", "replace")


def _error_of(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_ErrorBody).error
    except UNDECODABLE:
        return ""


async def _read(answer: aiohttp.ClientResponse, path: str) -> bytes:
    content = bytearray()
    async for chunk in answer.content.iter_chunked(256 * 1024):
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise VenueError(f"{path}: the answer was larger than {MAX_ANSWER_BYTES} bytes")
    return bytes(content)
