"""The agents that trade on the venue: makers, takers, an informed trader."""
