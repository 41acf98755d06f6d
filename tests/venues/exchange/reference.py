"""A second exchange, written to be obviously right instead of fast, that shares no code with the first one.

It keeps one flat list of resting orders, looks at all of them for every share it matches, counts in fractions, and keeps what each
account may use and what it would own if every trade settled. One market, no delays, no expiry; cash and shares are micro-units.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from math import ceil, floor

ONE = Fraction(1)
DUST = 10_000


class Resting:
    def __init__(self, order_id, account, token, buys, price, size):
        self.order_id, self.account, self.token, self.buys = order_id, account, token, buys
        self.price, self.size = price, size

    def reserved(self):
        return ceil(self.price * self.size) if self.buys else self.size


class Reference:
    """`usable[account, asset]` is what may be spent; assets are "cash", 0 and 1 (the two tokens)."""

    def __init__(self, fee_rate: Fraction):
        self.fee_rate = fee_rate
        self.orders: list[Resting] = []
        self.usable: defaultdict = defaultdict(int)
        self.trades: dict[int, list[tuple]] = {}
        self.trade_count = 0

    def place(self, order_id, account, token, buys, kind, price, size, spend, post_only=False):
        """Return "refused: …" or the list of (maker id, size, taker's cash). `price` is a fraction, `spend` the cash of the order."""
        matches, left = self._match(account, token, buys, kind, price, size, spend)
        if post_only and self._best(token, buys, price, []):
            return "refused: post-only"
        if buys and spend < 1_000_000 and (matches or kind in ("FOK", "FAK")):
            return "refused: a dollar"
        gives = "cash" if buys else token
        needed = spend if buys else size
        if buys:
            rest = ceil(price * left) if kind == "GTC" else 0
            needed = max(needed, sum(cash for *_, cash in matches) + sum(self._fees(matches)) + rest)
        if needed > self.usable[account, gives]:
            return "refused: balance"
        if kind == "FOK" and left:
            return "refused: fok"
        if kind == "FAK" and not matches:
            return "refused: fak"
        self._trade(account, token, buys, matches)
        if kind == "GTC" and left >= DUST:
            resting = Resting(order_id, account, token, buys, price, left)
            self.usable[account, gives] -= resting.reserved()
            self.orders.append(resting)
        return [(maker.order_id, size, cash) for maker, _, size, cash in matches]

    def cancel(self, account, order_id):
        for resting in self.orders:
            if resting.order_id == order_id and resting.account == account:
                self.orders.remove(resting)
                self.usable[account, "cash" if resting.buys else resting.token] += resting.reserved()
                return True
        return False

    def settle(self, number, good):
        for account, gives, given, gets, gotten in self.trades.pop(number):
            asset, amount = (gets, gotten) if good else (gives, given)
            self.usable[account, asset] += amount

    def _best(self, token, buys, limit, taken):
        """Return (price for the taker, resting order) of the best order not in `taken` within `limit`, oldest first."""
        best = None
        for resting in self.orders:
            if resting in taken:
                continue
            if resting.token == token and resting.buys != buys:
                price = resting.price
            elif resting.token != token and resting.buys == buys:
                price = ONE - resting.price
            else:
                continue
            if price > limit if buys else price < limit:
                continue
            if best is None or (price < best[0] if buys else price > best[0]):
                best = price, resting
        return best

    def _match(self, account, token, buys, kind, limit, size, spend):
        by_cash = buys and kind != "GTC"
        left = spend if by_cash else size
        matches, taken = [], []
        while left:
            found = self._best(token, buys, limit, taken)
            if found is None:
                break
            price, resting = found
            taken.append(resting)
            shares = min(resting.size, floor(left / price) if by_cash else left)
            cash = ceil(shares * price) if buys else floor(shares * price)
            left -= cash if by_cash else shares
            matches.append((resting, price, shares, cash))
        return matches, left

    def _fees(self, matches):
        """One fee for each price, in steps of ten micro-units."""
        shares: defaultdict = defaultdict(int)
        for _, price, size, _ in matches:
            shares[price] += size
        return [floor(size * self.fee_rate * price * (1 - price) / 10) * 10 for price, size in shares.items()]

    def _trade(self, account, token, buys, matches):
        prices = list(dict.fromkeys(price for _, price, _, _ in matches))
        for price, fee in zip(prices, self._fees(matches), strict=True):
            level = [match for match in matches if match[1] == price]
            size, cash = sum(match[2] for match in level), sum(match[3] for match in level)
            moves = [(account, "cash", cash + fee, token, size) if buys else (account, token, size, "cash", cash - fee)]
            for resting, _, shares, taker_cash in level:
                own = taker_cash if resting.token == token else shares - taker_cash
                before = resting.reserved()
                resting.size -= shares
                if resting.size < DUST:
                    self.orders.remove(resting)
                    resting.size = 0
                gives = "cash" if resting.buys else resting.token
                self.usable[resting.account, gives] += before - resting.reserved()
                moves.append(
                    (resting.account, "cash", own, resting.token, shares)
                    if resting.buys
                    else (resting.account, resting.token, shares, "cash", own)
                )
            moves.append(("venue", "cash", 0, "cash", fee))
            for party, gives, given, _, _ in moves:
                self.usable[party, gives] -= given
            self.trade_count += 1
            self.trades[self.trade_count] = moves
