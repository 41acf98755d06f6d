"""Measurements of the hot paths, side by side with the alternatives in one run. Door: `make bench` (`benchmarks.run`)."""
