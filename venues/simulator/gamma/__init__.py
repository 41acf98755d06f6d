"""Gamma: what is listed, with its tags, series and search."""
