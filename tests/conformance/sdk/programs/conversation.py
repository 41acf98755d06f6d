"""How a program of an SDK's own environment tells what it tried: one JSON line on standard output for each call.

    {"call": "ClobClient.get_order", "case": "a resting order", "passed": true, "detail": "", "seconds": 0.1}      one call, checked
    {"skipped": {"RfqClient.rfq_config": "why"}}                                                   calls that cannot be made, and why
    {"methods": ["ClobClient.cancel_all", …]}                                                      the last line: every method there is

A call passes when nothing was raised *and* the method named was really called *and* every check of its answer held. A failed call ends its
scene, because what follows builds on it; the other scenes go on. Only the standard library is used here: the SDK brings the rest.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class MismatchError(Exception):
    """An answer is not what the protocol promises."""


class SceneEndedError(Exception):
    """A call failed, and was told; what builds on it is not tried."""


class Watched:
    """An SDK's client that remembers which of its public methods were called. Everything else is the client's own."""

    def __init__(self, client: Any, name: str, called: set[str]) -> None:
        self._client = client
        self._name = name
        self._called = called

    def __getattr__(self, attribute: str) -> Any:
        self._called.add(f"{self._name}.{attribute}")
        return getattr(self._client, attribute)


class Conversation:
    """Everything one program says. `scene` runs a chain of calls; `call` is one of them."""

    def __init__(self) -> None:
        self.called: set[str] = set()
        self._methods: set[str] = set()

    def watch(self, client: Any, name: str = "") -> Any:
        """Return `client`, watched. Its class (`name` when given) joins the classes whose methods must all be tried."""
        client_class = client if isinstance(client, type) else type(client)
        name = name or client_class.__name__
        self.know(client_class, name)
        return Watched(client, name, self.called)

    def know(self, client_class: type, name: str = "") -> None:
        """Add a class whose public methods must be tried or skipped."""
        name = name or client_class.__name__
        self._methods |= {f"{name}.{method}" for method in dir(client_class) if not method.startswith("_")}

    def skip(self, client: str, reason: str, *methods: str) -> None:
        """Say why `methods` of one class cannot be tried."""
        self._say({"skipped": {f"{client}.{method}": reason for method in methods}})

    @contextmanager
    def call(self, method: str, case: str = "", *, follows: bool = False) -> Iterator[None]:
        """Try one method within the block, which also checks what came back. `follows`: the block watches what an earlier call of it opened."""
        before = set(self.called)
        self.called.discard(method)
        started = time.monotonic()
        detail = ""
        try:
            yield
            if method not in (before if follows else self.called):
                detail = "the block never called it"
        except SceneEndedError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever an SDK raises is the result of this call)
            detail = f"{type(error).__name__}: {error}"
        finally:
            self.called |= before
        seconds = round(time.monotonic() - started, 2)
        self._say({"call": method, "case": case, "passed": not detail, "detail": detail[:600], "seconds": seconds})
        if detail:
            raise SceneEndedError(method)

    def scene(self, name: str, play: Callable[..., object], *arguments: Any) -> None:
        """Run a chain of calls. One that fails ends the chain; an error outside of any call is told as the scene's own."""
        try:
            play(*arguments)
        except SceneEndedError:
            return
        except Exception as error:  # noqa: BLE001 (the program must go on and tell)
            self._say({"call": name, "case": "", "passed": False, "detail": f"{type(error).__name__}: {error}"[:600]})

    def end(self) -> None:
        """Tell which methods there are."""
        self._say({"methods": sorted(self._methods)})

    def _say(self, line: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def equal(actual: Any, expected: Any, what: str) -> None:
    """Check that an answer is the one expected."""
    if actual != expected:
        raise MismatchError(f"{what} was {actual!r}, expected {expected!r}")


def expect(holds: object, what: str) -> None:
    """Check that something holds."""
    if not holds:
        raise MismatchError(f"expected {what}")


def eventually(read: Callable[[], Any], what: str, within: float = 60.0) -> Any:
    """Return the first true answer of `read`; the venue settles and counts with a delay of its own."""
    deadline = time.monotonic() + within
    while True:
        if answer := read():
            return answer
        if time.monotonic() >= deadline:
            raise MismatchError(f"{what} did not happen within {within:g} s")
        time.sleep(0.2)


def unless_moved(attempt: Callable[[], Any], text: str) -> Any:
    """Return the answer of an order at the book's price; when the book has just moved away (a refusal with `text`), try again, twice."""
    for _ in range(2):
        try:
            return attempt()
        except Exception as error:
            if text not in str(error):
                raise
    return attempt()


def refused(attempt: Callable[[], Any], error_class: type[Exception], text: str) -> Exception:
    """Check that `attempt` is refused with `text` somewhere in the error, and return that error."""
    try:
        answer = attempt()
    except error_class as error:
        expect(text in str(error), f"a refusal with {text!r}, got {error}")
        return error
    raise MismatchError(f"expected a refusal with {text!r}, got {answer!r}")
