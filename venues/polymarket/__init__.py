"""Polymarket: its public and trading protocol behind the ports of the domain."""
