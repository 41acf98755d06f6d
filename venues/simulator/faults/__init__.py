"""Faults on demand: what can go wrong between a client and the venue, and inside the venue, struck exactly where and when a script says.

`FaultDesk.arm(Fault(do, where, when))` arms one; `model.py` says what there is. A venue without armed faults behaves as if this package
were not there.
"""
