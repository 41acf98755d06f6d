"""The relayer: signed actions of wallets, taken, checked and followed."""
