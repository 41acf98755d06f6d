"""A signer shows its address and nothing of its key."""

import copy
import pickle

import pytest

from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY
from venues.polymarket.signer import LocalSigner


def test_the_address_carries_the_checksum() -> None:
    assert LocalSigner(PRIVATE_KEY).address == ADDRESS
    assert LocalSigner(PRIVATE_KEY.removeprefix("0x").upper()).address == ADDRESS


def test_repr_does_not_show_the_key() -> None:
    assert PRIVATE_KEY[2:] not in f"{LocalSigner(PRIVATE_KEY)!r} {LocalSigner(PRIVATE_KEY)!s}"


def test_a_signer_cannot_be_copied_or_pickled() -> None:
    with pytest.raises(TypeError, match="key"):
        pickle.dumps(LocalSigner(PRIVATE_KEY))
    with pytest.raises(TypeError, match="key"):
        copy.deepcopy(LocalSigner(PRIVATE_KEY))


@pytest.mark.parametrize("bad", ["", "0x12", "zz" * 32, "00" * 32, "ff" * 32, PRIVATE_KEY + "00"])
def test_a_bad_key_is_refused_without_being_quoted(bad: str) -> None:
    with pytest.raises(ValueError, match="private key is not valid") as refused:
        LocalSigner(bad)
    assert str(refused.value) == "the private key is not valid: expected 64 hex digits, optionally after 0x"
    assert refused.value.__suppress_context__
