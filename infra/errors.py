"""Errors of the ground floor; each message names the fix."""

from domain.errors import PolybotError


class ServiceError(PolybotError):
    """An embedded service could not be started, reached or stopped."""
