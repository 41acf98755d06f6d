"""What takes a second to import stays out of the trader: only an opened wallet needs it."""

import subprocess
import sys

from infra.paths import ROOT

SLOW = ("web3", "eth_abi", "eth_account", "rlp")


def test_opening_the_venues_ports_imports_nothing_slow() -> None:
    program = f"import sys, venues.polymarket.connect; print([name for name in {SLOW} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
