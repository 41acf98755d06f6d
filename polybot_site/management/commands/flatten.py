"""`manage.py flatten`: halts a scope, cancels its orders, and sells what it holds. See `polybot_site.halt_command`."""

from __future__ import annotations

from polybot_site.halt_command import HaltCommand


class Command(HaltCommand):
    kind = "flatten"
    help = "Halt a scope and sell what it holds, in slices and not below a bound"
    wait_seconds = 180.0
