"""The venue's own Python client: order hash and signature, and the HMAC of a request. Faster when coincurve is in its environment."""

# mypy: ignore-errors
# Runs in an environment of its own, where its imports exist.

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from py_clob_client_v2.order_utils import ExchangeOrderBuilderV2, OrderDataV2, Side, SignatureTypeV2
from py_clob_client_v2.signer import Signer
from py_clob_client_v2.signing.hmac import build_hmac_signature


def measured(function: Callable[[], object], seconds: float) -> float:
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds or not count:
        function()
        count += 1
    return (time.perf_counter() - start) / count * 1e6


def main() -> None:
    work = json.loads(Path(sys.argv[1]).read_text())
    builder = ExchangeOrderBuilderV2(
        work["exchange"], 137, Signer(work["key"], 137), generate_salt=lambda: str(work["order"]["salt"])
    )
    order = work["order"]
    data = OrderDataV2(
        maker=order["maker"],
        tokenId=order["tokenId"],
        makerAmount=order["makerAmount"],
        takerAmount=order["takerAmount"],
        side=Side.BUY,
        signatureType=SignatureTypeV2.EOA,
        timestamp=order["timestamp"],
    )
    if builder.build_signed_order(data).signature != work["signature"]:
        raise SystemExit("the peer signs something else")
    text = work["body"]
    for _ in sys.stdin:
        result = {
            "sign_order": measured(lambda: builder.build_signed_order(data), 0.05),
            "hmac": measured(lambda: build_hmac_signature(work["secret"], "1777374000", "POST", "/order", text), 0.02),
        }
        print(json.dumps(result), flush=True)


main()
