"""The kernel: wires feed, books, strategies, executor and accounts. Pure wiring, used alike by live trading and fault simulation."""
