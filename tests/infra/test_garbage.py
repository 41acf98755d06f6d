"""What is set aside is not visited again, but is not kept for ever either."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from infra import garbage


@pytest.fixture(autouse=True)
def usual_collector() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


class Ring:
    """An object that only the collector can free."""

    def __init__(self) -> None:
        self.me = self


def test_what_is_left_after_the_start_is_set_aside():
    kept = Ring()
    garbage.settle()
    assert gc.get_freeze_count() > 0
    assert not any(each is kept for each in gc.get_objects())


def test_a_second_start_frees_what_the_first_set_aside():
    ring = Ring()
    gone = weakref.ref(ring)
    garbage.settle()
    del ring
    gc.collect()
    assert gone() is not None
    garbage.settle()
    assert gone() is None


def test_young_objects_are_collected_seldom():
    garbage.settle()
    assert gc.get_threshold()[0] >= 10_000
