"""`Authorization: Bearer <api token>` for the REST API. A wrong or revoked token is refused, never treated as nobody."""

from __future__ import annotations

from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from polybot_site.models import ApiToken
from polybot_site.tokens import bearer_token, verify


class BearerAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        text = bearer_token(get_authorization_header(request))
        if text is None:
            return None
        token = verify(text)
        if token is None:
            raise AuthenticationFailed("The API token is unknown or revoked.")
        return token.user, token

    def authenticate_header(self, _request: Request) -> str:
        return 'Bearer realm="polybot"'
