"""Whose rows a request is about: `?account=` names the account, and without it the one that is traded now is meant.

An account that no trader ever held is an error that says where the accounts are listed, so that a slip of the pen never reads as an empty book.
Commands go to an account whose trader runs, or ran last; every other one can only be looked at.
"""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request

from trading.store import accounts

ACCOUNT = OpenApiParameter("account", description="default: the account that is traded now; /api/accounts lists all")


class OnlyToLookAtError(APIException):
    status_code = 409
    default_code = "account_not_traded"
    fix = "Start the trader of that account, or leave `account` out to command the one that is traded."


def account_asked_for(request: Request) -> str:
    """Return the account a read is about, "" before the first trader started (no row belongs to that one).

    Raises:
        ValidationError: `account` names none that was ever traded.
    """
    known = [each.account for each in accounts()]
    named: str = request.query_params.get("account", "")
    if named and named not in known:
        raise ValidationError({"account": [f"No trader ever held {named[:120]!r}; /api/accounts lists the accounts."]})
    return named or next(iter(known), "")


def account_to_command(request: Request) -> str:
    """Return the account a command goes to.

    Raises:
        ValidationError: `account` names none that was ever traded.
        OnlyToLookAtError: the account's trader does not run and was not the last to run, or no trader ever ran.
    """
    asked, known = account_asked_for(request), accounts()
    if not known:
        raise OnlyToLookAtError("No trader has run yet, so there is nothing to command.")
    if asked != known[0].account and not any(each.running for each in known if each.account == asked):
        raise OnlyToLookAtError(f"Account {asked} is not traded now and can only be looked at.")
    return asked
