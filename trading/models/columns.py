"""What the tables' columns have in common: the account, an enumeration's values, the decimal shown beside the integer that counts."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import GeneratedField, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast


def account_column() -> models.CharField[str, str]:
    """Return the column that says whose row it is."""
    return models.CharField(
        max_length=120, help_text="sim:<venue id>, paper:<name> or live:<wallet>; accounts never mix"
    )


def choices_of(values: type) -> list[tuple[str, str]]:
    """Return an enumeration's values as a column's choices."""
    return [(value, value.replace("_", " ")) for value in values]  # type: ignore[attr-defined]


def decimal_of(expression: Combinable, digits: int = 20) -> GeneratedField:
    """Return the decimal column of an integer expression in micro-units."""
    exact: models.DecimalField[Decimal, Decimal] = models.DecimalField(max_digits=26, decimal_places=6)
    shown: models.DecimalField[Decimal, Decimal] = models.DecimalField(max_digits=digits, decimal_places=6)
    dollars = Cast(expression, exact) / Value(Decimal(1_000_000))
    return GeneratedField(expression=Cast(dollars, shown), output_field=shown, db_persist=True)
