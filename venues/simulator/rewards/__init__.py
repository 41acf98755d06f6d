"""Liquidity rewards and maker rebates: how they are earned, and what the venue tells of them."""
