"""The simulated Polygon: wallets, contract calls, blocks and a JSON-RPC node, all over the accounts of the exchange core."""
