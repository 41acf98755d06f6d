"""`make fuzz`: a million damaged frames through the decoders, with progress. Ends with 1 and the frame at the first broken promise.

python -m tests.fuzz.run [--frames N] [--seed N]
"""

from __future__ import annotations

import argparse
import logging
import sys
import time

import structlog

from tests.fuzz.targets import TARGETS

_REPORT_EVERY = 50_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz", description="Damaged frames through every decoder of the venue.")
    parser.add_argument("--frames", type=int, default=1_000_000, help="how many in all (default: a million)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same frames")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    began = time.perf_counter()
    done = 0
    targets = [target(options.seed) for target in TARGETS]
    for done in range(1, options.frames + 1):
        # The market channel is nearly all of the traffic.
        target = targets[0] if done % 4 else targets[1 + done // 4 % 2]
        target.step()
        if done % _REPORT_EVERY == 0:
            print(f"{done:>10,} frames  {done / (time.perf_counter() - began):>8,.0f}/s", flush=True)
    for target in targets:
        print(f"{target.name}: {dict(target.counts)}")
    print(f"{done:,} frames, no promise broken")
    return 0


if __name__ == "__main__":
    sys.exit(main())
