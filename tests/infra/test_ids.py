"""Random identifiers are what they say they are."""

from __future__ import annotations

import uuid

from infra.ids import RandomIds


def test_an_id_is_the_text_of_a_random_uuid() -> None:
    ids = [RandomIds().uuid() for _ in range(500)]

    parsed = [uuid.UUID(text) for text in ids]
    assert [str(each) for each in parsed] == ids
    assert {(each.version, each.variant) for each in parsed} == {(4, uuid.RFC_4122)}
    assert len(set(ids)) == len(ids)


def test_every_digit_of_an_id_varies_but_the_version() -> None:
    columns = list(zip(*(RandomIds().uuid() for _ in range(500)), strict=True))

    assert [n for n, digits in enumerate(columns) if len(set(digits)) == 1] == [8, 13, 14, 18, 23]
    assert set(columns[19]) == set("89ab")
