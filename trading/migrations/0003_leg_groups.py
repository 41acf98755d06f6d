from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("trading", "0002_accounts")]

    operations = [
        migrations.AddField(
            model_name="order",
            name="leg_group",
            field=models.CharField(blank=True, default="", help_text="id of its leg group, if any", max_length=36),
        ),
        migrations.CreateModel(
            name="LegGroup",
            fields=[
                ("id", models.CharField(max_length=36, primary_key=True, serialize=False)),
                (
                    "account",
                    models.CharField(
                        help_text="sim:<venue id>, paper:<name> or live:<wallet>; accounts never mix", max_length=120
                    ),
                ),
                ("name", models.CharField(help_text="the strategy's leg_group_id", max_length=80)),
                ("strategy_name", models.CharField(max_length=60)),
                (
                    "policy",
                    models.CharField(
                        choices=[
                            ("all_or_none", "all or none"),
                            ("best_effort", "best effort"),
                            ("sequential", "sequential"),
                        ],
                        max_length=12,
                    ),
                ),
                ("legs", models.JSONField(help_text="legs in the order in which they are placed")),
                ("size_units", models.BigIntegerField(help_text="shares of each leg, micro-shares")),
                (
                    "payoff_units",
                    models.BigIntegerField(help_text="what a whole set brings at the least, micro-dollars"),
                ),
                ("arb_type", models.CharField(blank=True, default="", max_length=16)),
                ("opportunity_id", models.CharField(blank=True, default="", max_length=64)),
                ("edge_bps", models.IntegerField(help_text="gross edge as the strategy saw it", null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("placing", "placing"),
                            ("unwinding", "unwinding"),
                            ("filled", "filled"),
                            ("partial", "partial"),
                            ("cancelled", "cancelled"),
                            ("failed", "failed"),
                        ],
                        max_length=9,
                    ),
                ),
                ("state_reason", models.TextField(blank=True, default="")),
                ("residual", models.JSONField(default=list, help_text="micro-shares of each leg that nothing hedges")),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
            ],
            options={"db_table": "leg_groups", "ordering": ("-created_at",)},
        ),
        migrations.AddIndex(
            model_name="leggroup",
            index=models.Index(fields=["account", "state"], name="idx_leg_groups_account_state"),
        ),
        migrations.AddConstraint(
            model_name="leggroup",
            constraint=models.CheckConstraint(condition=models.Q(("size_units__gt", 0)), name="leg_groups_size"),
        ),
    ]
