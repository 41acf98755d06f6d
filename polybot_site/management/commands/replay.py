"""`manage.py replay FILE [--json]`: decodes a recording of the market channel and compares the books it builds with what the venue said."""

from __future__ import annotations

import dataclasses
import json
import zlib
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from infra.clock import SystemClock
from markets.replay import ReplayResult, replay


class Command(BaseCommand):
    """Reads the file and prints; changes nothing."""

    help = "Replay recorded market frames (.jsonl or .jsonl.gz) through the decoder and the order books"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="one frame a line; .gz is unpacked")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            result = replay(options["file"], SystemClock())
        except (OSError, EOFError, zlib.error) as error:
            raise CommandError(f"{options['file']} cannot be read: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps(dataclasses.asdict(result)))
        else:
            self.stdout.write(_text(result))


def _text(result: ReplayResult) -> str:
    equal = {True: "equal", False: "different", None: "no later whole book to compare with"}[result.final_book_equal]
    share = f" ({result.agreed / result.compared:.1%})" if result.compared else ""
    return (
        f"messages      {result.messages:,} ({result.bad:,} refused)\n"
        f"speed         {result.events_per_s:,.0f} messages/s\n"
        f"best prices   {result.agreed:,} of {result.compared:,} agree{share}\n"
        f"final book    {equal}"
    )
