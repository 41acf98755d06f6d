"""`manage.py resume`: lifts one halt, in your name. See `polybot_site.halt_command`."""

from __future__ import annotations

from polybot_site.halt_command import HaltCommand


class Command(HaltCommand):
    kind = "resume"
    ttl_seconds = 10.0
    """What a person wants to go on now may be wrong tomorrow."""
    help = "Lift a halt"
