"""REST over the trading tables: reading them, and commands to the trader."""
