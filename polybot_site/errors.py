"""Every refusal of the API has the same form: {"error": stable code, "detail": what was wrong, "fix": what to do about it}."""

from __future__ import annotations

from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from domain.errors import PolybotError

_FIXES = {
    "not_authenticated": "Log in at /login/, or send `Authorization: Bearer <api token>` (var/run.json has one).",
    "authentication_failed": "Make a new token in the admin, or take the one in var/run.json.",
    "permission_denied": "Ask an admin for the role that this needs.",
    "not_found": "Check the id; /api/docs/ lists what there is.",
    "method_not_allowed": "/api/docs/ lists the methods of each address.",
    "parse_error": "Send a valid JSON body.",
    "unsupported_media_type": "Send the body as application/json.",
    "not_acceptable": "Ask for application/json.",
    "too_large": "Send what the address takes and nothing else; /api/docs/ lists it.",
    "throttled": "Wait, then try again.",
    "database_unavailable": "`manage.py services status` shows whether it runs; `make run` starts it again.",
    "invalid_address": "Take out %00.",
    "invalid": "Correct the named fields and send the request again.",
}

_log = structlog.get_logger(__name__)


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to `error`; None lets an unexpected one become a logged 500."""
    if isinstance(error, InterfaceError | OperationalError):
        _log.error("database_unavailable", error=str(error))
        return Response(refusal_body("database_unavailable", "PostgreSQL does not answer."), status=503)
    if isinstance(error, RequestDataTooBig):
        return Response(refusal_body("too_large", "The body is too large."), status=413)
    if isinstance(error, PolybotError):
        return Response(refusal_body("invalid", str(error)), status=400)
    response = exception_handler(error, context)
    if response is None:
        return None
    api_error = error if isinstance(error, APIException) else None
    if isinstance(error, ValidationError):
        response.data = refusal_body("invalid", error.detail)
    elif api_error is not None:
        response.data = refusal_body(str(api_error.default_code), api_error.detail, getattr(api_error, "fix", None))
    else:  # Django's Http404 and PermissionDenied
        code = "not_found" if response.status_code == 404 else "permission_denied"
        response.data = refusal_body(code, response.data["detail"])
    return response


def refusal_body(code: str, detail: object, fix: str | None = None) -> dict[str, object]:
    """Return the form of a refusal; without `fix` the code's own."""
    return {"error": code, "detail": detail, "fix": fix or _FIXES.get(code, "")}
