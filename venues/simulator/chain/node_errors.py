"""What a JSON-RPC node says when it refuses. Source: JSON-RPC 2.0, EIP-1474, and the words of Geth and its kin."""

from __future__ import annotations

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
SERVER_ERROR = -32000
LIMIT_EXCEEDED = -32005
RESPONSE_TOO_LARGE = -32003
REVERTED = 3


class NodeError(Exception):
    """Ends a call with a JSON-RPC error."""

    def __init__(self, code: int, message: str, data: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


def invalid_params(message: str) -> NodeError:
    return NodeError(INVALID_PARAMS, message)


def refused(message: str) -> NodeError:
    return NodeError(SERVER_ERROR, message)
