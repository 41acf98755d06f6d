"""`manage.py runsigner`: the process that has the key. It signs what its own policy allows, asked by the trader over a Unix socket.

Its process needs wallet.keystore (or wallet.private_key) and the password; the trader's needs wallet.signer_socket and wallet.address, and no key.
"""

from __future__ import annotations

import asyncio
from typing import Any

import uvloop
from django.core.management.base import BaseCommand, CommandError

from domain.errors import PolybotError
from infra.clock import SystemClock
from infra.memory import seal_memory
from infra.unix_socket import listening
from polybot_site.config_loader import current
from polybot_site.key_source import at_terminal, local_signer
from polybot_site.signer_process import client_users, open_desk, serve_signer, signer_socket


class Command(BaseCommand):
    """Runs until SIGTERM or Ctrl-C; the day's limits survive a restart."""

    help = "Run the isolated signer"
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        config = current().config
        path = signer_socket(config)
        try:
            seal_memory()
            users = client_users(config)
            with listening(path, others=bool(config.signer.trader_user)) as listener:
                desk = open_desk(config, local_signer(config, at_terminal()), SystemClock())

                def ready() -> None:
                    self.stdout.write(f"signer of {desk.address} at {path}")
                    self.stdout.flush()

                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    runner.run(serve_signer(desk, users, listener, ready))
        except PolybotError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"the signer cannot run: {error}") from None
