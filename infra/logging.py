"""Structured logging: JSON lines in production, readable text on a terminal, and no secret in either.

Every line of the process goes through here, libraries included. Two nets catch secrets: fields whose name says so are masked, and every
value handed to `hide` is masked wherever it appears, tracebacks included. Passwords inside URLs are masked too.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any, Literal, TextIO

import structlog

MASK = "********"

_SECRET_NAME = re.compile(
    r"(^|_)(password|passphrase|secret|private_?key|api_?key|mnemonic|authorization|cookie|credentials?)($|_)"
    r"|^(api_|auth_|access_|csrf_|bearer_)?token$",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"(?<=://)([^\s/:@]*):[^\s/@]+@")
_hidden: set[str] = set()

LogFormat = Literal["auto", "json", "text"]


def hide(values: Iterable[str]) -> None:
    """Mask these exact values in everything logged from now on; values shorter than 8 characters are too common to mask."""
    _hidden.update(value for value in values if len(value) >= 8)


def configure(*, level: str = "INFO", log_format: LogFormat = "auto", stream: TextIO | None = None) -> None:
    """Send everything logged in this process to `stream` (standard error); `auto` means text on a terminal, JSON elsewhere."""
    stream = stream or sys.stderr
    as_text = log_format == "text" or (log_format == "auto" and stream.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="%H:%M:%S.%f" if as_text else "iso", utc=not as_text),
        _drop_colours,
        mask_fields,
    ]
    renderer: structlog.typing.Processor = (
        # Not the renderer's own choice of tracebacks: where `rich` is installed, that prints every local variable.
        structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)
        if as_text
        else structlog.processors.JSONRenderer()
    )
    tracebacks: list[structlog.typing.Processor] = [] if as_text else [structlog.processors.format_exc_info]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tracebacks, renderer, mask_text],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _drop_colours(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop uvicorn's second, coloured copy of its messages."""
    event.pop("color_message", None)
    return event


def mask_fields(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask every field whose name says that it is a secret, in nested mappings too."""
    for name, value in event.items():
        if _SECRET_NAME.search(name):
            event[name] = MASK
        elif isinstance(value, MutableMapping):
            event[name] = mask_fields(None, "", dict(value))
    return event


def mask_text(_logger: Any, _method: str, line: Any) -> str:
    """Mask hidden values and passwords of URLs in a finished line."""
    text = _URL_PASSWORD.sub(rf"\1:{MASK}@", str(line))
    for value in _hidden:
        text = text.replace(value, MASK)
    return text
