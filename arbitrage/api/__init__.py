"""Arbitrage executions and their profit by REST."""
