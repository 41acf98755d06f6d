"""What the chain knows of addresses beside the exchange core: gas money, USDC.e, wallet nonces, and which wallets are deployed."""

from __future__ import annotations

FIRST_POL = 10 * 10**18
"""Wei that every address begins with: gas costs something, but nobody has to ask for it."""


class Accounts:
    """Addresses are checksummed; POL in wei, USDC.e in micro-units. `nonces` counts transactions of a plain address and batches of a wallet."""

    def __init__(self) -> None:
        self.usdce: dict[str, int] = {}
        self.nonces: dict[str, int] = {}
        self.deployed: set[str] = set()
        self._pol: dict[str, int] = {}

    def pol(self, address: str) -> int:
        """Return an address's gas money."""
        return self._pol.get(address, FIRST_POL)

    def add_pol(self, address: str, wei: int) -> None:
        """Change an address's gas money; the caller has checked that it suffices."""
        self._pol[address] = self.pol(address) + wei

    def nonce(self, address: str) -> int:
        """Return the next nonce of an address."""
        return self.nonces.get(address, 0)
