"""The asynchronous clients of `polymarket-client`, called like the others: each call runs to its end before it returns.

Nothing of the SDK is changed. What it returns that is itself asynchronous (listings, transactions, clients) is wrapped in turn.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from typing import Any

_ASYNCHRONOUS = {"GaslessTransactionHandle", "EoaTransactionHandle", "DeprecatedTransactionHandle"}


class Blocking:
    """One asynchronous object; everything of it runs on `runner`."""

    def __init__(self, subject: Any, runner: asyncio.Runner) -> None:
        self._subject = subject
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._subject, name)
        if not callable(value):
            return value

        def call(*arguments: Any, **named: Any) -> Any:
            answer = value(*arguments, **named)
            if inspect.isawaitable(answer):
                answer = self._runner.run(_finish(answer))
            kind = type(answer).__name__
            return Blocking(answer, self._runner) if kind in _ASYNCHRONOUS or kind.startswith("Async") else answer

        return call


async def _finish(answer: Awaitable[Any]) -> Any:
    return await answer
