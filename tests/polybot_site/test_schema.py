"""The API's own description: complete, valid, and shown without anything from elsewhere."""

from __future__ import annotations

import pytest
import yaml
from django.test import Client
from drf_spectacular.validation import validate_schema

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer(person):
    return Client(headers=person("viewer").bearer)


def test_the_schema_is_valid_and_made_without_a_warning(viewer, capfd):
    answer = viewer.get("/api/schema/")
    assert answer.status_code == 200
    schema = yaml.safe_load(answer.content)
    validate_schema(schema)
    complaints = [line for line in capfd.readouterr().err.splitlines() if "Warning" in line or "Error" in line]
    assert complaints == []


def test_the_schema_knows_every_address_and_how_to_log_in(viewer):
    schema = yaml.safe_load(viewer.get("/api/schema/").content)
    assert {"get", "post", "delete"} <= schema["paths"]["/api/orders"].keys()
    expected = ("health", "me", "positions", "fills", "ledger", "halt", "status", "stream", "markets", "strategies")
    assert {f"/api/{name}" for name in expected} <= schema["paths"].keys()
    arbitrage = {"/api/arbitrage/profit", "/api/arbitrage/executions", "/api/arbitrage/executions/{execution_id}"}
    assert arbitrage <= schema["paths"].keys()
    assert schema["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


def test_the_documentation_loads_nothing_from_elsewhere(viewer):
    page = viewer.get("/api/docs/").content.decode()
    assert "swagger" in page
    assert "http://" not in page.replace("http://testserver", "")
    assert "https://" not in page
    assert "<script>" not in page
