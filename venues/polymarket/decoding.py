"""What decoding bytes of the venue may raise, in one place: forgetting one of them would let a broken answer past its handler."""

from __future__ import annotations

import msgspec

UNDECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""Not JSON, not of the expected shape, not UTF-8 text, or nested too deeply."""
