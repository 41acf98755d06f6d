"""The wallet's money operations: contract calls, and the two ways in which they reach the chain (the venue's relayer, or a node)."""
