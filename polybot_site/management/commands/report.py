"""`manage.py report pnl|statement|fills`: what an account earned, its statement, its fills; as a table, as JSON like the API's, or as CSV.

Reads PostgreSQL alone: neither trader nor web process has to run. Days are UTC, the last one belongs to the report.
"""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rest_framework.renderers import JSONRenderer

from infra.clock import SystemClock
from trading.api.report_serializers import ReportSerializer, StatementSerializer
from trading.api.serializers import FillSerializer
from trading.report_queries import By, Span
from trading.report_span import SpanError, parse_span
from trading.report_table import Row, as_csv, as_table, fill_rows, report_rows, statement_rows
from trading.reports import profit_report
from trading.statement import statement
from trading.store import accounts, fills_between

MOST_FILLS = 1_000_000


class Command(BaseCommand):
    help = "Print what an account earned, its statement, or its fills"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("report", choices=["pnl", "statement", "fills"])
        parser.add_argument("--from", dest="start", default="", help="first day, such as 2026-11-01 (default: 30 days)")
        parser.add_argument("--to", dest="end", default="", help="last day (default: today)")
        parser.add_argument("--by", choices=[by.value for by in By], default=By.STRATEGY.value, help="groups of pnl")
        parser.add_argument("--account", default="", help="default: the account that is traded now, or was last")
        parser.add_argument("--format", choices=["table", "json", "csv"], default="table")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print the report; nothing is written anywhere."""
        account = _account(options["account"])
        try:
            now = datetime.fromtimestamp(SystemClock().now_ns() / 1e9, UTC)
            span = parse_span(options["start"], options["end"], now)
        except SpanError as error:
            raise CommandError(str(error)) from None
        data, rows = _read(options["report"], account, span, By(options["by"]))
        if options["format"] == "json":
            self.stdout.write(JSONRenderer().render(data, "application/json; indent=2").decode())
        elif options["format"] == "csv":
            self.stdout.write(as_csv(rows), ending="")
        else:
            self.stdout.write(f"{account}, {span.start:%Y-%m-%d %H:%M} to {span.end:%Y-%m-%d %H:%M} UTC\n")
            self.stdout.write(as_table(rows), ending="")


def _account(named: str) -> str:
    known = [each.account for each in accounts()]
    if not known:
        raise CommandError("no trader has run yet, so there is no account; start one with `make run`")
    if named and named not in known:
        raise CommandError(f"account was {named!r}, expected one of {', '.join(known)}")
    return named or known[0]


def _read(report: str, account: str, span: Span, by: By) -> tuple[Any, list[Row]]:
    if report == "pnl":
        profit = profit_report(account, span, by)
        return ReportSerializer(profit).data, report_rows(profit)
    if report == "statement":
        found = statement(account, span)
        return StatementSerializer(found).data, statement_rows(found)
    rows = fills_between(account, span.start, span.end, most=MOST_FILLS + 1)
    if len(rows) > MOST_FILLS:
        raise CommandError(f"the span has more than {MOST_FILLS} fills; ask for it in parts")
    fills = [dict(each) for each in FillSerializer(rows, many=True).data]
    return fills, fill_rows(fills)
