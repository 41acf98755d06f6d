"""The simulated chain of one venue: what is mined, sealed, replaced and confirmed, all inside the world's ticks.

Settlements enter as the exchange core moves them; relayed and signed transactions are carried out when a block is sealed. Every effect goes
through the exchange core, so a venue that replays its log has the same chain.
"""

from __future__ import annotations

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from domain.fill import FillStatus
from venues.exchange.events import Event, FundsMoved, FundsReason, MarketResolved, TradeMoved, TradeView
from venues.simulator.chain.abi import RevertError
from venues.simulator.chain.accounts import Accounts
from venues.simulator.chain.approvals import CTF, Approvals, asset_of
from venues.simulator.chain.blocks import Blocks
from venues.simulator.chain.events import TRANSFER, log
from venues.simulator.chain.funds_logs import funds_logs, resolution_log
from venues.simulator.chain.gas import gas_used
from venues.simulator.chain.machine import Call, run
from venues.simulator.chain.pool import Pool, Signed
from venues.simulator.chain.relays import Relay, RelayRequest, Relays, RelayState
from venues.simulator.chain.scratch import Ledgers, Scratch
from venues.simulator.chain.transactions import Transaction
from venues.simulator.contracts import (
    AUTO_REDEEM_OPERATOR,
    UMA_ADAPTER,
    USDC_E,
    ZERO_ADDRESS,
    is_position_id,
    settling_exchange,
)
from venues.simulator.world.floor import Floor
from venues.simulator.world.wallets import Wallets

CONFIRMATIONS = 2
OPERATOR = to_checksum_address(keccak(text="simulated operator")[-20:])
RELAYER = to_checksum_address(keccak(text="simulated relayer")[-20:])
MATCH_ORDERS = "0x3c2b4399"
_EXECUTE_SECONDS = (0.3, 1.2)
_SIGNATURE_TYPES = {"WALLET": 3, "WALLET-CREATE": 3, "SAFE": 2, "SAFE-CREATE": 2, "PROXY": 1}


class Chain:
    """One venue's chain. `clients` are the wallets of the wire: only their deposits and payouts appear as transactions, agents' do not."""

    def __init__(self, floor: Floor, approvals: Approvals, wallets: Wallets, clients: set[str], venue_id: str) -> None:
        self.accounts = Accounts()
        self.ledgers = Ledgers(floor, approvals, self.accounts)
        self.blocks = Blocks(venue_id, floor.now_ns)
        self.relays = Relays(venue_id)
        self.pool = Pool()
        self._floor = floor
        self._wallets = wallets
        self._clients = clients
        self._venue_id = venue_id
        self._running = ""
        self._moves = 0
        self._mined: dict[str, str] = {}

    def start(self) -> None:
        """Plan the first block."""
        self._plan()

    def observe(self, event: Event) -> None:
        """Put on chain what the exchange core says happened."""
        if isinstance(event, TradeMoved):
            self._settled(event.trade)
        elif isinstance(event, FundsMoved):
            self._moved(event)
        elif isinstance(event, MarketResolved) and not is_position_id(event.token_ids[0]):
            entry = resolution_log(event, self._floor.listings)
            self.blocks.add(Transaction(self._next_hash(), OPERATOR, UMA_ADAPTER, logs=(entry,)))

    def relay(self, request: RelayRequest) -> Relay:
        """Take a request that was checked."""
        relay = self.relays.add(request, self._floor.now_ns)
        self._floor.later(self._floor.rng.uniform(*_EXECUTE_SECONDS), "relay", relay.id)
        return relay

    def send_relay(self, relay_id: str) -> None:
        """Send a request to the chain; a Safe or proxy that moved on since it was signed makes it invalid."""
        relay = self.relays.by_id[relay_id]
        request = relay.request
        if request.kind in ("SAFE", "PROXY") and request.nonce != self.accounts.nonce(request.wallet):
            text = f"invalid nonce: {request.nonce}, expected {self.accounts.nonce(request.wallet)}"
            self.relays.move(relay, RelayState.INVALID, self._floor.now_ns, text)
        else:
            self.relays.move(relay, RelayState.EXECUTED, self._floor.now_ns)

    def seal(self) -> None:
        """Carry out what waits, close the block, and confirm what is old enough."""
        for relay in self.relays.of_state(RelayState.EXECUTED):
            self._run_relay(relay)
        for sender in self.pool.senders():
            while signed := self.pool.take(sender, self.accounts.nonce(sender)):
                self._run_signed(signed)
        self.blocks.seal(self._floor.now_ns)
        for relay in self.relays.of_state(RelayState.MINED):
            relay.block = relay.block or self.blocks.head
            if self.blocks.head >= relay.block + CONFIRMATIONS:
                self.relays.move(relay, RelayState.CONFIRMED, self._floor.now_ns)
        self._plan()

    def replace(self, depth: int) -> list[str]:
        """Replace the last `depth` blocks; everything is mined again in the new ones. Return the trades in them that were not confirmed."""
        trades = [transaction.trade for transaction in self.blocks.replace(depth)]
        return [trade.id for trade in trades if trade is not None and trade.id in self._mined]

    def give_usdce(self, wallet: str, amount: int) -> None:
        """Let a wallet have USDC.e that was made for it."""
        self.accounts.usdce[wallet] = self.accounts.usdce.get(wallet, 0) + amount
        logs = (log(USDC_E, TRANSFER, ZERO_ADDRESS, wallet, amount),)
        self.blocks.add(Transaction(self._next_hash(), OPERATOR, USDC_E, logs=logs))

    def keepers(self, condition_id: str) -> tuple[str, ...]:
        """Return the wallets that redeem a market by themselves: they have not approved the venue's operator for its tokens."""
        market, approvals = self._floor.exchange.market(condition_id), self.ledgers.approvals
        asset = asset_of(market.token_ids[0]) if market is not None else CTF
        return tuple(
            sorted(wallet for wallet in self._clients if not approvals.allowance(wallet, asset, AUTO_REDEEM_OPERATOR))
        )

    def _plan(self) -> None:
        self._floor.schedule.add(self.blocks.next_seal_ns(self._floor.now_ns), "seal")

    def _settled(self, trade: TradeView) -> None:
        """Mine a settlement, or take it out of the chain again. A retried one comes back under another hash."""
        if trade.status in (FillStatus.RETRYING, FillStatus.FAILED):
            if trade.id in self._mined:
                self.blocks.drop(self._mined.pop(trade.id))
            return
        market = self._floor.exchange.market(trade.condition_id)
        if trade.id not in self._mined and market is not None:
            to = settling_exchange(market.token_ids[0], neg_risk=market.neg_risk)
            token_ids = market.token_ids
            self.blocks.add(
                Transaction(trade.transaction_hash, OPERATOR, to, MATCH_ORDERS, trade=trade, token_ids=token_ids)
            )
            self._mined[trade.id] = trade.transaction_hash
        if trade.status is FillStatus.CONFIRMED:
            self._mined.pop(trade.id, None)

    def _moved(self, event: FundsMoved) -> None:
        """Give funds that the venue itself moved a transaction of their own, and tell everyone its hash."""
        self._floor.transaction_hash = self._running
        if self._running or event.account not in self._clients or event.reason is FundsReason.TRANSFER:
            return
        self._floor.transaction_hash = self._next_hash()
        logs = funds_logs(event, self._floor.exchange.market(event.condition_id))
        operator = AUTO_REDEEM_OPERATOR if event.reason is FundsReason.REDEMPTION else OPERATOR
        self.blocks.add(Transaction(self._floor.transaction_hash, operator, event.account, logs=logs))

    def _run_relay(self, relay: Relay) -> None:
        request, now_ns = relay.request, self._floor.now_ns
        scratch = Scratch(self.ledgers)
        error = ""
        try:
            if request.deadline and request.deadline * 1_000_000_000 < now_ns:
                raise RevertError("deadline expired")
            for call in request.calls:
                run(scratch, request.wallet, Call(call.target, bytes.fromhex(call.data[2:]), int(call.value)))
        except RevertError as refused:
            error = refused.text
        else:
            self._commit(scratch, relay.transaction_hash)
            if request.wallet not in self.accounts.deployed:
                self._deploy(request)
            if request.calls:
                self.accounts.nonces[request.wallet] = self.accounts.nonce(request.wallet) + 1
        logs = () if error else tuple(scratch.logs)
        self.blocks.add(
            Transaction(relay.transaction_hash, RELAYER, request.to, request.data or "0x", ok=not error, logs=logs)
        )
        self.relays.move(relay, RelayState.FAILED if error else RelayState.MINED, now_ns, error)

    def _deploy(self, request: RelayRequest) -> None:
        """Let a wallet exist: deposit wallets and Safes when asked, proxies with their first call."""
        self.accounts.deployed.add(request.wallet)
        self._wallets.bind(request.wallet, request.owner, _SIGNATURE_TYPES[request.kind])
        self._clients.add(request.wallet)

    def _run_signed(self, signed: Signed) -> None:
        """Carry out a plain address's transaction: its nonce and gas are used up whatever becomes of it."""
        scratch, data, value = Scratch(self.ledgers), bytes.fromhex(signed.data[2:]), int(signed.value)
        error = ""
        try:
            run(scratch, signed.sender, Call(signed.to, data, value))
        except RevertError as refused:
            error = refused.text
        used = gas_used(data, 0 if error else len(scratch.logs))
        if not error and used > signed.gas:
            error = "out of gas"
        used = min(used, signed.gas)
        self.accounts.nonces[signed.sender] = signed.nonce + 1
        self.accounts.add_pol(signed.sender, -used * int(signed.gas_price))
        if not error:
            self._commit(scratch, signed.hash)
            self.accounts.add_pol(signed.sender, -value)
            self.accounts.add_pol(signed.to, value)
        self.blocks.add(
            Transaction(
                signed.hash,
                signed.sender,
                signed.to,
                signed.data,
                signed.nonce,
                signed.value,
                signed.gas,
                signed.gas_price,
                used,
                not error,
                () if error else tuple(scratch.logs),
            )
        )

    def _commit(self, scratch: Scratch, transaction_hash: str) -> None:
        self._running = transaction_hash
        try:
            self.ledgers.commit(scratch)
        finally:
            self._running = ""

    def _next_hash(self) -> str:
        self._moves += 1
        return "0x" + keccak(text=f"{self._venue_id}/moved/{self._moves}").hex()
