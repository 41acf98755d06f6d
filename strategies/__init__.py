"""Strategies: engine, registry, price tracker, and one file per strategy."""
