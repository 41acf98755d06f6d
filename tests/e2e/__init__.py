"""Tests of the running platform through a browser."""
