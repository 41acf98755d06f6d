"""What the image keeps alive: markets that may still trade, and groups that have one."""

import dataclasses

from domain.market import ConditionGroup, MarketStatus
from markets import keys
from markets.catalogue_image import REFRESH_SECONDS, CatalogueImage
from tests.markets.builders import make_market

OPEN = make_market(group_id="g")
SETTLED = dataclasses.replace(OPEN, status=MarketStatus.SETTLED, winner=0)
GROUP = ConditionGroup(id="g", title="Which?", market_ids=("m1",), exclusive=True)


def written(image, now):
    """Write all that is due; return the keys of markets and groups."""
    hashes = []
    while image.wait(now) == 0.0:
        image.write_next(lambda *command: hashes.append(command[1]) if command[0] == "HSET" else None, now)
    return set(hashes)


def test_markets_and_groups_are_written_again_before_they_expire():
    image = CatalogueImage()
    image.put([OPEN], [GROUP])
    both = {keys.market("m1"), keys.group("g")}
    assert written(image, 0.0) == both
    assert image.wait(1.0) == REFRESH_SECONDS - 1.0
    assert written(image, REFRESH_SECONDS) == both


def test_a_settled_market_is_written_once_more_and_then_forgotten_with_its_group():
    image = CatalogueImage()
    image.put([OPEN], [GROUP])
    written(image, 0.0)
    image.put([SETTLED], [])
    assert written(image, 1.0) == {keys.market("m1")}
    written(image, REFRESH_SECONDS)
    assert image.wait(10 * REFRESH_SECONDS) is None
    assert [image._markets, image._groups, len(image._written)] == [{}, {}, 0]
