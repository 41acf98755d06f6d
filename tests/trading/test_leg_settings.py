"""Settings that would switch a protection off cannot be made."""

from __future__ import annotations

from dataclasses import fields

import pytest

from trading.leg_settings import LegSettings


@pytest.mark.parametrize("name", [each.name for each in fields(LegSettings)])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), None, True, "5"])
def test_a_leg_setting_must_be_a_positive_whole_number(name, value) -> None:
    with pytest.raises(ValueError, match=name):
        LegSettings(**{name: value})
