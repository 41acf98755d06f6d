"""Nouns and ports of polybot: frozen types and pure functions.

Imports nothing else of ours, no Django, does no I/O. Everything that moves money is an integer in micro-units (`domain.money`).
"""
