"""How the admin looks: its name, its colours, and what stands where in the side bar."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _favicon(_request: HttpRequest) -> str:
    return static("polybot/favicon.svg")


def _page(title: str, icon: str, model: str) -> dict[str, Any]:
    app, _, name = model.partition(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": f"polybot_site.admin_look.{'may_manage' if app in _ACCESS else 'may_look'}",
    }


def may_look(request: HttpRequest) -> bool:
    """Tell whether the tables of trading, markets and strategies are for this user."""
    return request.user.has_perm("trading.view_order")


def may_manage(request: HttpRequest) -> bool:
    """Tell whether users and tokens are for this user."""
    return request.user.has_perm("polybot_site.add_apitoken")


_ACCESS = {"auth", "polybot_site"}

LOOK: dict[str, Any] = {
    "SITE_TITLE": "polybot",
    "SITE_HEADER": "polybot",
    "SITE_SUBHEADER": "trading on prediction markets",
    "SITE_URL": "/",
    "SITE_SYMBOL": "query_stats",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _favicon}],
    "ENVIRONMENT": "polybot_site.admin_account.badge",
    "DASHBOARD_CALLBACK": "polybot_site.admin_account.first_page",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": True,
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        },
    },
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "title": "Trading",
                "items": [
                    _page("Orders", "list_alt", "trading.order"),
                    _page("Fills", "done_all", "trading.fill"),
                    _page("Positions", "stacks", "trading.position"),
                    _page("Leg groups", "account_tree", "trading.leggroup"),
                    _page("Arbitrage", "swap_horiz", "arbitrage.arbexecution"),
                    _page("Ledger", "account_balance", "trading.ledgerentry"),
                    _page("Equity", "show_chart", "trading.equitysnapshot"),
                ],
            },
            {
                "title": "Markets",
                "items": [
                    _page("Markets", "storefront", "markets.market"),
                    _page("Events", "category", "markets.conditiongroup"),
                    _page("Strategies", "tune", "strategies.strategyconfig"),
                ],
            },
            {
                "title": "Operation",
                "items": [
                    _page("Halts", "dangerous", "trading.halt"),
                    _page("Commands", "terminal", "trading.command"),
                    _page("Audit log", "history", "trading.auditlog"),
                    _page("Leases", "key", "trading.lease"),
                    _page("Schedule", "schedule", "django_celery_beat.periodictask"),
                ],
            },
            {
                "title": "Access",
                "items": [
                    _page("Users", "person", "auth.user"),
                    _page("Roles", "groups", "auth.group"),
                    _page("API tokens", "vpn_key", "polybot_site.apitoken"),
                ],
            },
        ],
    },
}
