"""Both official SDKs, unmodified, against the simulated venue. The table of calls is printed as it stands; see `door` for running it alone."""

import sys

import pytest

from tests.conformance.sdk.door import main

pytestmark = [pytest.mark.conformance, pytest.mark.protocol("3.12")]


@pytest.mark.timeout(600)
def test_every_call_of_both_official_sdks_gets_the_answer_it_expects_of_the_venue(capsys):
    with capsys.disabled():
        assert main([], sys.stdout) == 0
