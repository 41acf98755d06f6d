"""How web3 reaches a node: through one HTTP session of our own, every request once.

web3's own sessions are handed out under a lock that a whole process shares and that threads wait for. A request that is cancelled while it waits
leaves the lock locked: every later request would hang, and the end of the process with them. This module imports web3, which takes a second.
"""

from __future__ import annotations

import aiohttp
from web3 import AsyncHTTPProvider
from web3.types import RPCEndpoint


class NodeSession(AsyncHTTPProvider):
    """Requests to one endpoint. Make it in a running loop; `disconnect` closes it."""

    def __init__(self, url: str, timeout: float) -> None:
        super().__init__(url, exception_retry_configuration=None)
        self._url = url
        self._session = aiohttp.ClientSession(
            headers=self.get_request_headers(),
            timeout=aiohttp.ClientTimeout(total=timeout),
            raise_for_status=True,
        )

    async def _make_request(self, method: RPCEndpoint, request_data: bytes) -> bytes:
        async with self._session.post(self._url, data=request_data, allow_redirects=False) as answer:
            return await answer.read()

    async def disconnect(self) -> None:
        await self._session.close()
