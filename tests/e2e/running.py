"""A running platform as a test sees it: its address and login, its API, and its programs."""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil
import pytest
from playwright.sync_api import Page


@dataclass(frozen=True)
class Platform:
    """A running platform: its address, its login, and its launcher's pid."""

    url: str
    username: str
    password: str
    api_token: str
    pid: int

    def get(self, path: str) -> Any:
        """Return the JSON the API answers with."""
        return self._send("GET", path)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self._send("POST", path, json.dumps(body).encode())

    def delete(self, path: str) -> Any:
        return self._send("DELETE", path)

    def _send(self, method: str, path: str, body: bytes | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.api_token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}{path}", data=body, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def program(self, word: str) -> psutil.Process:
        """Return the program of the platform whose command line has `word` in it."""
        children = psutil.Process(self.pid).children(recursive=True)
        return next(child for child in children if any(word in part for part in child.cmdline()))


def eventually(check: Callable[[], Any], *, within: float, what: str) -> Any:
    """Return the first true answer of `check`; fail when there is none in time. An answer of the site that fails is not true."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            if answer := check():
                return answer
        except OSError:
            pass
        time.sleep(0.25)
    pytest.fail(f"{what} did not happen within {within:.0f} s")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def sign_in(page: Page, platform: Platform) -> None:
    page.goto(platform.url)
    page.get_by_label("Username").fill(platform.username)
    page.get_by_label("Password").fill(platform.password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{platform.url}/")
