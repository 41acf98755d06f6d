"""Accounts kept apart, and what a statement needs: a command's account, a fill's key per account, payouts and deposits beside every equity snapshot,
and what the venue said it holds.
"""

from django.db import migrations, models

from domain.ledger import LedgerAccount

_ACCOUNT = "sim:<venue id>, paper:<name> or live:<wallet>; accounts never mix"

_PAST_SNAPSHOTS = """
WITH moves AS MATERIALIZED (
    SELECT account, ledger_account, created_at, amount_units FROM ledger_entries
    WHERE asset = 'collateral' AND ledger_account IN ('equity', 'receivable')
)
UPDATE equity_snapshots SET
    deposits_units = COALESCE((
        SELECT -sum(amount_units) FROM moves WHERE moves.account = equity_snapshots.account
        AND ledger_account = 'equity' AND moves.created_at <= equity_snapshots.created_at), 0),
    receivable_units = COALESCE((
        SELECT sum(amount_units) FROM moves WHERE moves.account = equity_snapshots.account
        AND ledger_account = 'receivable' AND moves.created_at <= equity_snapshots.created_at), 0)
"""


class Migration(migrations.Migration):
    dependencies = (
        ("markets", "0001_initial"),
        ("trading", "0001_initial"),
    )

    operations = (
        migrations.CreateModel(
            name="VenueBalance",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("account", models.CharField(help_text=_ACCOUNT, max_length=120)),
                ("venue_cash_units", models.BigIntegerField()),
                ("book_cash_units", models.BigIntegerField()),
                (
                    "tokens",
                    models.JSONField(default=dict, help_text="tokens on which the two differ: [venue, books]"),
                ),
                ("created_at", models.DateTimeField()),
            ],
            options={"db_table": "venue_balances", "ordering": ("-created_at",)},
        ),
        migrations.RemoveConstraint(model_name="fill", name="fills_trade_order"),
        migrations.RemoveIndex(model_name="command", name="idx_commands_status"),
        # Commands of before belong to no account: whoever waits for them sees them expire.
        migrations.AddField(
            model_name="command",
            name="account",
            field=models.CharField(default="", help_text=_ACCOUNT, max_length=120),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="equitysnapshot",
            name="deposits_units",
            field=models.BigIntegerField(default=0, help_text="deposits less withdrawals until then"),
        ),
        migrations.AddField(
            model_name="equitysnapshot",
            name="receivable_units",
            field=models.BigIntegerField(default=0, help_text="payouts that are not in the wallet yet"),
        ),
        migrations.RunSQL(_PAST_SNAPSHOTS, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="ledgerentry",
            name="ledger_account",
            field=models.CharField(choices=[(each, each.value) for each in LedgerAccount], max_length=16),
        ),
        migrations.AddIndex(
            model_name="command",
            index=models.Index(fields=["account", "status", "issued_at"], name="idx_commands_account_status"),
        ),
        migrations.AddConstraint(
            model_name="fill",
            constraint=models.UniqueConstraint(
                fields=("account", "trade_id", "order_id"), name="fills_account_trade_order"
            ),
        ),
        migrations.AddIndex(
            model_name="venuebalance",
            index=models.Index(fields=["account", "created_at"], name="idx_venue_balances_account"),
        ),
    )
