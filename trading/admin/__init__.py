"""The trading tables in the admin: to look at, search and filter. The trader alone writes them; what an operator wants done goes through the API.

A list shows one account: the one that is traded now, unless another one, or all, is chosen beside it.
"""

from trading.admin import control, money, orders

__all__ = ["control", "money", "orders"]
