"""The addresses of an owner's smart wallets: CREATE2 over each factory's salt and init code, as the venue's contracts compute them.

Owner and results are checksummed addresses. Sources: EIP-1014; the factories' published creation code (ERC-1967 proxies with immutable
arguments for deposit wallets, a minimal clone for proxies, a hash for Safes).
"""

from __future__ import annotations

from eth_abi.abi import encode
from eth_utils.address import to_canonical_address, to_checksum_address
from eth_utils.crypto import keccak

from venues.simulator.contracts import (
    DEPOSIT_WALLET_BEACON,
    DEPOSIT_WALLET_FACTORY,
    DEPOSIT_WALLET_IMPLEMENTATION,
    PROXY_FACTORY,
    PROXY_IMPLEMENTATION,
    SAFE_FACTORY,
)

_SAFE_INIT_CODE_HASH = bytes.fromhex("2bce2127ff07fb632d16c8347c4ebf501f4841168bed00d9e6ef715ddb6fcecf")
_BEACON_CODE = (
    "60195155f3363d3d373d3d363d602036600436635c60da"
    "1b60e01b36527fa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6c"
    "b3582b35133d50545afa5036515af43d6000803e604d573d6000fd5b3d6000f3"
)
_UUPS_CODE = (
    "6009"
    "5155f3363d3d373d3d363d7f360894a13ba1a3210667c828492db98dca3e2076"
    "cc3735a920a3ca505d382bbc545af43d6000803e6038573d6000fd5b3d6000f3"
)
_BEACON_RUNTIME_SIZE = 0x52
_UUPS_RUNTIME_SIZE = 0x3D


def deposit_wallet(owner: str) -> str:
    """Return the owner's deposit wallet (behind the beacon)."""
    return _deposit_wallet(owner, DEPOSIT_WALLET_BEACON, _BEACON_RUNTIME_SIZE, _BEACON_CODE)


def legacy_deposit_wallet(owner: str) -> str:
    """Return the deposit wallet the owner would have had before the beacon (UUPS)."""
    return _deposit_wallet(owner, DEPOSIT_WALLET_IMPLEMENTATION, _UUPS_RUNTIME_SIZE, _UUPS_CODE)


def proxy_wallet(owner: str) -> str:
    """Return the owner's proxy."""
    factory, implementation = to_canonical_address(PROXY_FACTORY), to_canonical_address(PROXY_IMPLEMENTATION)
    creation = (
        bytes.fromhex("3d3d606380380380913d393d73")
        + factory
        + bytes.fromhex("5af4602a57600080fd5b602d8060366000396000f3363d3d373d3d3d363d73")
        + implementation
        + bytes.fromhex("5af43d82803e903d91602b57fd5bf352e831dd")
        + encode(["bytes"], [b""])
    )
    return _create2(PROXY_FACTORY, keccak(to_canonical_address(owner)), keccak(creation))


def safe_wallet(owner: str) -> str:
    """Return the owner's Safe."""
    return _create2(SAFE_FACTORY, keccak(encode(["address"], [owner])), _SAFE_INIT_CODE_HASH)


def _deposit_wallet(owner: str, target: str, runtime_size: int, code: str) -> str:
    arguments = encode(["address", "bytes32"], [DEPOSIT_WALLET_FACTORY, to_canonical_address(owner).rjust(32, b"\0")])
    # PUSH2 (size of the runtime code with its arguments), then the proxy's fixed preamble.
    preamble = b"\x61" + (runtime_size + len(arguments)).to_bytes(2, "big") + bytes.fromhex("3d8160233d3973")
    creation = preamble + to_canonical_address(target) + bytes.fromhex(code) + arguments
    return _create2(DEPOSIT_WALLET_FACTORY, keccak(arguments), keccak(creation))


def _create2(factory: str, salt: bytes, code_hash: bytes) -> str:
    return to_checksum_address(keccak(b"\xff" + to_canonical_address(factory) + salt + code_hash)[-20:])
