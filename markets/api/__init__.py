"""The REST API of markets: a list to search and filter, and one market with its live books."""
