"""From intent to ledger: risk, orders, fills, positions, journal, reconciliation. Nothing is lost, nothing is sent twice."""
