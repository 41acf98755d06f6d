"""Paper trading: an account that exists nowhere, matched against the real books of a venue (`docs/adr/0009-how-paper-orders-fill.md`)."""
