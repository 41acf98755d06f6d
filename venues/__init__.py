"""The outside world: each venue's protocol behind the ports of the domain. No Django."""
