"""A simulated Polymarket: the venue's wire protocol around the pure exchange core."""
