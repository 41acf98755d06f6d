"""Pages of a long list by key: {"next": cursor or null, "results": […]}. A row that moves in between is at worst seen twice or not at all.

A cursor names the last row of its page; one that was made up or cut off is a `ValidationError`.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from django.db.models import Q, QuerySet
from rest_framework.exceptions import ValidationError

from markets.models import Market


class Cursor(NamedTuple):
    """Where a page ended: 24 h volume and id of its last market."""

    volume: int
    market_id: str

    def encode(self) -> str:
        return urlsafe_b64encode(f"{self.volume}:{self.market_id}".encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> Cursor:
        try:
            volume, colon, market_id = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
            if not colon or "\x00" in market_id or abs(int(volume)) >= 1 << 63:
                raise ValueError(text)
            return cls(int(volume), market_id)
        except (ValueError, binascii.Error):
            raise ValidationError({"cursor": ["Expected the `next` of an earlier page."]}) from None


def page(rows: QuerySet[Market], cursor: str, limit: int) -> tuple[list[Market], str | None]:
    """Return up to `limit` rows after `cursor` ("" for the first page), the most traded first, and the next cursor."""
    if cursor:
        at = Cursor.decode(cursor)
        rows = rows.filter(Q(volume_24h_units__lt=at.volume) | Q(volume_24h_units=at.volume, id__gt=at.market_id))
    found = list(rows.order_by("-volume_24h_units", "id")[: limit + 1])
    if len(found) <= limit:
        return found, None
    last = found[limit - 1]
    return found[:limit], Cursor(last.volume_24h_units, last.id).encode()
