"""The CLOB as its clients see it: public reads, orders, cancels, keys and accounts over REST, and both WebSocket channels."""
