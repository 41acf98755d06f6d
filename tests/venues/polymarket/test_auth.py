"""Key requests and request HMACs equal the published vectors."""

import pytest

from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY, VECTORS
from venues.polymarket.auth import ApiCredentials, auth_domain, auth_struct_hash, key_request_headers
from venues.polymarket.eip712 import bytes32, typed_digest
from venues.polymarket.signer import LocalSigner

L1 = VECTORS["l1_clob_auth"]["vectors"]
L2 = VECTORS["l2_hmac"]["vectors"]


@pytest.mark.protocol("2.1", "2.6")
@pytest.mark.parametrize("vector", L1, ids=lambda v: f"{v['chain_id']}-{v['nonce']}")
async def test_key_request_headers_equal_the_vector(vector: dict) -> None:
    timestamp, nonce = int(vector["timestamp"]), vector["nonce"]
    separator, contents = auth_domain(vector["chain_id"]), auth_struct_hash(ADDRESS, timestamp, nonce)
    assert separator == bytes32(vector["domain_separator"])
    assert contents == bytes32(vector["struct_hash"])
    assert typed_digest(separator, contents) == bytes32(vector["digest"])
    headers = await key_request_headers(LocalSigner(PRIVATE_KEY), vector["chain_id"], timestamp, nonce)
    assert headers == vector["headers"]


@pytest.mark.protocol("2.3", "2.6")
@pytest.mark.parametrize("vector", L2, ids=lambda v: v["name"])
def test_request_hmac_equals_the_vector(vector: dict) -> None:
    credentials = ApiCredentials(ADDRESS, "key", vector["secret"], "pass")
    body = (vector["body"] or "").encode()
    headers = credentials.headers(int(vector["timestamp"]), vector["method"], vector["path"], body)
    assert headers == {
        "POLY_ADDRESS": ADDRESS,
        "POLY_SIGNATURE": vector["signature"],
        "POLY_TIMESTAMP": vector["timestamp"],
        "POLY_API_KEY": "key",
        "POLY_PASSPHRASE": "pass",
    }


def test_credentials_do_not_show_their_secrets() -> None:
    shown = repr(ApiCredentials(ADDRESS, "key", "c2VjcmV0LXNlY3JldA==", "the passphrase"))
    assert "c2VjcmV0" not in shown
    assert "passphrase'" not in shown
    assert "secret-secret" not in shown


@pytest.mark.parametrize("secret", ["not base64!", "a", "ü"])
def test_a_malformed_secret_is_refused_without_being_quoted(secret: str) -> None:
    with pytest.raises(ValueError, match=r"^the API secret is not base64url text$"):
        ApiCredentials(ADDRESS, "key", secret, "pass")
