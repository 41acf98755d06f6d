"""Arbitrage: what leg groups were expected to bring and what they brought."""
