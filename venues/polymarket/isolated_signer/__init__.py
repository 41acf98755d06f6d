"""A signer in a process of its own: it holds the key, judges every statement by its own policy, and is asked over a Unix socket."""
