"""`python -m tests.conformance.sdk`: see `door`."""

import sys

from tests.conformance.sdk.door import main

sys.exit(main(sys.argv[1:], sys.stdout))
