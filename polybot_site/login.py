"""The login form: everybody with an account, in the admin's dress, with a limit on guessing.

After ten wrong passwords for one name from one address, that pair waits five minutes; each web process counts for itself.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.cache import cache
from django.core.exceptions import ValidationError
from unfold.widgets import BASE_INPUT_CLASSES

ATTEMPTS = 10
PAUSE_SECONDS = 300


class LoginForm(AuthenticationForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = " ".join(BASE_INPUT_CLASSES)

    def clean(self) -> dict[str, Any]:
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        key = f"login:{address}:{self.cleaned_data.get('username', '')}"
        if cache.get(key, 0) >= ATTEMPTS:
            raise ValidationError("Too many wrong passwords. Wait five minutes, then try again.", code="too_many")
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            cache.add(key, 0, PAUSE_SECONDS)
            cache.incr(key)
            raise
        cache.delete(key)
        return cleaned
