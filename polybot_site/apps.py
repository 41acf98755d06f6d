"""The site as a Django app: access to polybot. Roles are brought up to date after every migration."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_out
from django.db.models.signals import post_migrate


class SiteConfig(AppConfig):
    name = "polybot_site"
    verbose_name = "Access"

    def ready(self) -> None:
        from polybot_site.roles import sync_roles
        from polybot_site.ws.control import close_sockets_on_logout

        post_migrate.connect(lambda **_: sync_roles(), dispatch_uid="polybot_roles", weak=False)
        user_logged_out.connect(close_sockets_on_logout, dispatch_uid="polybot_logout")
