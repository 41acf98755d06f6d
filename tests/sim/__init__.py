"""Fault simulation: the whole kernel on a virtual clock against the exchange core, crashed before and after every effect on the world."""
