"""`manage.py` with another time: `python -m tests.venues.polymarket.isolated_signer.shifted NOW_NS runsigner`."""

import os
import sys
import time

os.environ["DJANGO_SETTINGS_MODULE"] = "polybot_site.settings"


def main(now_ns: int, *arguments: str) -> None:
    from django.core.management import execute_from_command_line

    from infra import clock

    shift = now_ns - time.time_ns()

    class Shifted(clock.SystemClock):
        def now_ns(self) -> int:
            return super().now_ns() + shift

    clock.SystemClock = Shifted  # type: ignore[misc]
    execute_from_command_line(["manage.py", *arguments])


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
