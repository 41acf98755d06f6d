"""`manage.py halt`: no new risk in a scope, and its open orders are cancelled. See `polybot_site.halt_command`."""

from __future__ import annotations

from polybot_site.halt_command import HaltCommand


class Command(HaltCommand):
    kind = "halt"
    help = "Stop new risk and cancel what is open: everywhere, or at a venue, in a market, of a strategy, of arbitrage"
