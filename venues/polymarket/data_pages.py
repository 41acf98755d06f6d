"""Lists of the Data API, page by page. A list is whole or it is an error: a page that cannot be read, or a cursor that does not advance, raises
`VenueError`. Source: the venue's documentation of the Data API v2.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from domain.errors import VenueError
from venues.polymarket.decoding import UNDECODABLE
from venues.polymarket.http import HttpClient, Query

MAX_PAGES = 100

Row = TypeVar("Row")


class _Pagination(msgspec.Struct):
    has_more: bool = False
    next_cursor: str | None = None


class _Page(msgspec.Struct, Generic[Row]):
    data: list[Row] | None
    pagination: _Pagination = msgspec.field(default_factory=_Pagination)


async def read_pages(http: HttpClient, path: str, query: Query, row: type[Row]) -> list[Row]:
    """Return all rows of a list."""
    decode = msgspec.json.Decoder(_Page[row]).decode  # type: ignore[valid-type]
    rows: list[Row] = []
    cursors: set[str] = set()
    cursor = ""
    for _ in range(MAX_PAGES):
        content = await http.get(path, (*query, ("cursor", cursor)) if cursor else query)
        try:
            page = decode(content)
        except UNDECODABLE as error:
            raise VenueError(f"GET {path}: the page was malformed: {error}") from error
        rows += page.data or ()
        cursor = page.pagination.next_cursor or ""
        if not page.pagination.has_more or not cursor:
            return rows
        if cursor in cursors:
            raise VenueError(f"GET {path}: the cursor {cursor!r} came twice")
        cursors.add(cursor)
    raise VenueError(f"GET {path}: more than {MAX_PAGES} pages")
