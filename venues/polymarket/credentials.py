"""The API key of an address: created with its first start, derived again with every later one. Keys belong to the signing key (EOA)."""

from __future__ import annotations

import msgspec

from domain.errors import SigningError, VenueError, VenueUnavailableError, WrongAccountError
from domain.ports import Clock
from venues.polymarket.auth import ApiCredentials, key_request_headers
from venues.polymarket.decoding import UNDECODABLE
from venues.polymarket.http import HttpClient
from venues.polymarket.signer import Signer


class _KeyAnswer(msgspec.Struct, rename="camel"):
    api_key: str
    secret: str
    passphrase: str


async def create_or_derive(http: HttpClient, signer: Signer, chain_id: int, clock: Clock) -> ApiCredentials:
    """Return the address's API key.

    Raises:
        VenueError: the signer did not sign, or the venue gave no key; the text names both refusals and never a secret.
    """
    try:
        headers = await key_request_headers(signer, chain_id, clock.now_ns() // 1_000_000_000)
    except (SigningError, WrongAccountError) as error:
        raise VenueError(f"no API key for {signer.address}: {error}") from error
    try:
        content = await http.post("/auth/api-key", headers=headers)
    except VenueUnavailableError:
        raise
    except VenueError as refused:
        try:
            content = await http.get("/auth/derive-api-key", headers=headers)
        except VenueError as error:
            raise type(error)(f"no API key for {signer.address}: {refused}; {error}") from error
    try:
        answer = msgspec.json.decode(content, type=_KeyAnswer)
        return ApiCredentials(signer.address, answer.api_key, answer.secret, answer.passphrase)
    except (*UNDECODABLE, ValueError):
        # The cause could quote the secret.
        raise VenueError(f"the venue's API key for {signer.address} was malformed") from None
