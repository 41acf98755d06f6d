"""What an account is worth: the ledger, the equity curve and the venue's word on balances."""

from __future__ import annotations

from django.db import models
from django.db.models import F

from domain.ledger import LedgerAccount
from trading.models.columns import account_column, choices_of, decimal_of


class LedgerEntry(models.Model):
    """One side of a double entry. The entries of a journal sum to zero for each asset."""

    id = models.BigAutoField(primary_key=True)
    journal_id = models.CharField(max_length=240)
    account = account_column()
    ledger_account = models.CharField(max_length=16, choices=choices_of(LedgerAccount))
    asset = models.CharField(max_length=100, help_text="collateral, or a token id")
    amount_units = models.BigIntegerField(help_text="micro-units, a debit when positive")
    amount = decimal_of(F("amount_units"))
    kind = models.CharField(max_length=24)
    strategy_name = models.CharField(max_length=60, blank=True, default="")
    market_id = models.CharField(max_length=80, blank=True, default="")
    token_id = models.CharField(max_length=100, blank=True, default="")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_entries"
        verbose_name_plural = "ledger entries"
        ordering = ("-id",)
        indexes = (models.Index(fields=["account", "created_at"], name="idx_ledger_account_created"),)
        constraints = (
            models.UniqueConstraint(
                fields=["account", "journal_id", "ledger_account", "asset"], name="ledger_journal_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.ledger_account} {self.amount} ({self.kind})"


class EquitySnapshot(models.Model):
    """Worth of an account at a moment: cash, inventory at cost and at market, results so far; micro-units."""

    id = models.BigAutoField(primary_key=True)
    account = account_column()
    cash_units = models.BigIntegerField()
    inventory_cost_units = models.BigIntegerField()
    inventory_value_units = models.BigIntegerField(help_text="held tokens at the best bid")
    realised_units = models.BigIntegerField()
    fees_units = models.BigIntegerField()
    receivable_units = models.BigIntegerField(default=0, help_text="payouts that are not in the wallet yet")
    deposits_units = models.BigIntegerField(default=0, help_text="deposits less withdrawals until then")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "equity_snapshots"
        ordering = ("-created_at",)
        indexes = (models.Index(fields=["account", "created_at"], name="idx_equity_account_created"),)

    def __str__(self) -> str:
        return f"{self.account} at {self.created_at:%Y-%m-%d %H:%M:%S}"


class VenueBalance(models.Model):
    """What the venue said an account holds, and what our books said when everything explicable was booked. A row when either has changed."""

    id = models.BigAutoField(primary_key=True)
    account = account_column()
    venue_cash_units = models.BigIntegerField()
    book_cash_units = models.BigIntegerField()
    tokens = models.JSONField(default=dict, help_text="tokens on which the two differ: [venue, books]")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "venue_balances"
        ordering = ("-created_at",)
        indexes = (models.Index(fields=["account", "created_at"], name="idx_venue_balances_account"),)

    def __str__(self) -> str:
        return f"{self.account} at {self.created_at:%Y-%m-%d %H:%M:%S}"
