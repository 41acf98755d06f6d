"""The live push: one hub per web process, one Redis subscription per client interest, one encoding per event."""
