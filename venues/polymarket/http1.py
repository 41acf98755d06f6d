"""Reads one HTTP/1.1 answer from a stream of bytes, strictly and with limits.

Only what a JSON API sends is understood: a status line, headers, and a body framed by Content-Length, by chunks or by the end of the
connection. Anything doubtful (two lengths, a bad chunk, an encoding nobody asked for, oversized parts) raises `AnswerError`: a half
understood answer must not be mistaken for an answer. Source: RFC 9112.
"""

from __future__ import annotations

from typing import NamedTuple

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 8 * 1024 * 1024
_BODYLESS = frozenset({204, 304})


class AnswerError(ValueError):
    """The bytes are not an HTTP answer that can be relied on."""


class Answer(NamedTuple):
    """A complete answer. `reusable` tells whether the connection may carry another request."""

    status: int
    headers: dict[str, str]
    body: bytes
    reusable: bool


class AnswerReader:
    """Collects bytes until an answer is complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: tuple[int, dict[str, str], bool] | None = None

    @property
    def started(self) -> bool:
        """Tell whether any byte of an answer has arrived."""
        return bool(self._buffer) or self._head is not None

    def feed(self, data: bytes) -> Answer | None:
        """Take more bytes; return the answer once it is complete."""
        self._buffer += data
        return self._parse(ended=False)

    def end(self) -> Answer | None:
        """The connection ended; return an answer that its end completes, None when it was cut off."""
        return self._parse(ended=True)

    def _parse(self, *, ended: bool) -> Answer | None:
        while self._head is None:
            if not self._read_head():
                return None
        status, headers, keep_alive = self._head
        if status in _BODYLESS:
            return self._complete(b"", 0, reusable=keep_alive)
        encoding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if encoding is not None:
            if encoding.lower() != "chunked" or length is not None:
                raise AnswerError("the answer's length is ambiguous")
            chunks = self._chunked()
            return None if chunks is None else self._complete(chunks[0], chunks[1], reusable=keep_alive)
        if length is None:
            self._check_size(len(self._buffer))
            return self._complete(bytes(self._buffer), len(self._buffer), reusable=False) if ended else None
        if not (length.isascii() and length.isdigit()):
            raise AnswerError(f"content-length was {length[:40]!r}")
        size = int(length)
        self._check_size(size)
        if len(self._buffer) < size:
            return None
        return self._complete(bytes(self._buffer[:size]), size, reusable=keep_alive)

    def _read_head(self) -> bool:
        """Consume one head (interim 1xx answers are skipped); False when it is not complete yet."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise AnswerError("the answer's headers are too long")
            return False
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        version, _, rest = lines[0].partition(" ")
        code = rest[:3]
        if version not in {"HTTP/1.1", "HTTP/1.0"} or not (code.isascii() and code.isdigit()) or len(code) != 3:
            raise AnswerError(f"the status line was {lines[0][:80]!r}")
        status = int(code)
        if 100 <= status < 200:
            return True
        headers = _headers(lines[1:])
        if headers.get("content-encoding", "identity") != "identity":
            raise AnswerError("the answer is encoded although no encoding was asked for")
        connection = headers.get("connection", "").lower()
        keep_alive = connection != "close" and (version == "HTTP/1.1" or connection == "keep-alive")
        self._head = (status, headers, keep_alive)
        return True

    def _chunked(self) -> tuple[bytes, int] | None:
        """Return the body and the number of buffered bytes it took, None when it is not complete."""
        body, position, buffer = bytearray(), 0, self._buffer
        while True:
            line_end = buffer.find(b"\r\n", position)
            if line_end < 0:
                if len(buffer) - position > 1024:
                    raise AnswerError("a chunk's size is too long")
                return None
            text = bytes(buffer[position:line_end]).split(b";")[0].strip()
            try:
                size = int(text, 16) if text.isalnum() else -1
            except ValueError:
                size = -1
            if size < 0:
                raise AnswerError(f"a chunk's size was {text[:20]!r}")
            self._check_size(len(body) + size)
            start = line_end + 2
            if size == 0:
                trailer_end = buffer.find(b"\r\n", start)
                if trailer_end < 0:
                    return None
                if trailer_end != start:
                    raise AnswerError("the answer has trailers")
                return bytes(body), trailer_end + 2
            if len(buffer) < start + size + 2:
                return None
            if buffer[start + size : start + size + 2] != b"\r\n":
                raise AnswerError("a chunk does not end where it says")
            body += buffer[start : start + size]
            position = start + size + 2

    def _complete(self, body: bytes, used: int, *, reusable: bool) -> Answer:
        if self._head is None:
            raise AnswerError("an answer without a head")
        status, headers, _ = self._head
        surplus = len(self._buffer) - used
        self._buffer.clear()
        self._head = None
        return Answer(status, headers, body, reusable and surplus == 0)

    @staticmethod
    def _check_size(size: int) -> None:
        if size > MAX_BODY_BYTES:
            raise AnswerError(f"the answer's body has more than {MAX_BODY_BYTES} bytes")


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise AnswerError(f"a header was {line[:80]!r}")
        key = name.lower()
        if key in headers and key in {"content-length", "transfer-encoding"} and headers[key] != value.strip():
            raise AnswerError(f"the answer has two different {key} headers")
        headers[key] = value.strip()
    return headers
