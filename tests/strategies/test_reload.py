"""Changed settings reach running strategies: at once through Redis, and from PostgreSQL when Redis missed it."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from asgiref.sync import sync_to_async
from django.db import connections

from domain.status import StrategyState
from infra.clock import SystemClock
from infra.ids import RandomIds
from infra.redis import async_client
from strategies import config_messages
from strategies.configs import load_usable, save_config, seed_configs
from strategies.flash_crash import FlashCrash
from strategies.reload import ConfigReload
from strategies.store import StoredConfig
from tests.strategies.test_configs import SECTION
from tests.strategies.world import World

NAME = "flash_crash"


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the strategies know nothing of loops
            await asyncio.sleep(0.01)


@asynccontextmanager
async def reloading(registry, redis_url, *, load=None, applied=(), look_every=600.0):
    async def nothing():
        return ()

    client = async_client(redis_url)
    reload = ConfigReload(
        registry=registry, client=client, load=load or nothing, applied=applied, look_every=look_every
    )
    task = asyncio.create_task(reload.run())
    try:
        yield reload
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def listening(redis_url):
    client = async_client(redis_url)
    async with asyncio.timeout(20):
        while await client.pubsub_numpat() == 0:  # noqa: ASYNC110 - only the server knows
            await asyncio.sleep(0.01)
    await client.aclose()


def size(world):
    return world.registry.get(NAME).info().parameters["size"]


@pytest.fixture
async def thread_without_connections():
    """The thread that Django's calls run in lets go of the test database."""
    yield
    await sync_to_async(connections.close_all)()


@pytest.fixture
def world():
    return World(FlashCrash)


def a_config(updated_ns, *, enabled=True, **parameters):
    return StoredConfig(name=NAME, parameters=parameters, enabled=enabled, updated_ns=updated_ns)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("thread_without_connections")
async def test_a_saved_change_reaches_the_running_strategy_through_redis(world, redis_url):
    await sync_to_async(seed_configs)(SECTION)
    applied = await sync_to_async(load_usable)()
    async with reloading(world.registry, redis_url, applied=applied):
        await listening(redis_url)
        await sync_to_async(save_config)(NAME, parameters={"size": 33}, enabled=None, user="ann")
        await until(lambda: size(world) == 33)
        await sync_to_async(save_config)(NAME, parameters={}, enabled=False, user="ann")
        await until(lambda: world.registry.get(NAME).state is StrategyState.STOPPED)
        await sync_to_async(save_config)(NAME, parameters={}, enabled=True, user="ann")
        await until(lambda: world.registry.get(NAME).state is StrategyState.RUNNING)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("thread_without_connections")
async def test_a_change_that_redis_missed_is_found_in_postgresql(world, redis_url, settings):
    await sync_to_async(seed_configs)(SECTION)
    async with reloading(world.registry, redis_url, load=sync_to_async(load_usable), look_every=0.02):
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        await sync_to_async(save_config)(NAME, parameters={"size": 34}, enabled=None, user="ann")
        await until(lambda: size(world) == 34)


async def test_what_was_published_before_the_start_is_applied(world, redis_url):
    client = async_client(redis_url)
    await client.set(config_messages.key(NAME), config_messages.to_bytes(a_config(5, size=35)))
    async with reloading(world.registry, redis_url):
        await until(lambda: size(world) == 35)
    await client.aclose()


async def test_an_older_copy_never_replaces_a_newer_one(world, redis_url):
    async with reloading(world.registry, redis_url) as reload:
        reload.apply(a_config(10, size=40))
        reload.apply(a_config(9, size=41))
        reload.apply(a_config(10, size=42))
    assert size(world) == 40


async def test_refused_settings_leave_the_running_ones(world, redis_url):
    async with reloading(world.registry, redis_url) as reload:
        reload.apply(a_config(10, size=40))
        reload.apply(a_config(11, size=-1, enabled=False))
    info = world.registry.get(NAME).info()
    assert (info.parameters["size"], info.state) == (40, StrategyState.RUNNING)


async def test_foreign_and_broken_messages_are_skipped(world, redis_url):
    client = async_client(redis_url)
    async with reloading(world.registry, redis_url):
        await listening(redis_url)
        good = config_messages.to_event(a_config(20, size=50), SystemClock(), RandomIds())
        foreign = config_messages.to_event(
            StoredConfig(name="ghost", parameters={}, enabled=True, updated_ns=21), SystemClock(), RandomIds()
        )
        no_json = good.replace(b'{"size": 50}', b'{"size": 50]')
        for message in (b"\xff\xff", b"", no_json, foreign, good):
            await client.publish(config_messages.channel(NAME), message)
        await until(lambda: size(world) == 50)
    await client.aclose()


async def test_listening_goes_on_after_redis_dropped_the_connection(world, redis_url):
    client = async_client(redis_url)
    async with reloading(world.registry, redis_url):
        await listening(redis_url)
        await client.client_kill_filter(_type="pubsub")
        await client.set(config_messages.key(NAME), config_messages.to_bytes(a_config(30, size=60)))
        await until(lambda: size(world) == 60)
    await client.aclose()


async def test_a_database_that_is_away_is_asked_again(world, redis_url):
    answers = [ConnectionError("away"), [a_config(1, size=70)]]

    async def load():
        answer = answers.pop(0) if answers else []
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with reloading(world.registry, redis_url, load=load, look_every=0.01):
        await until(lambda: size(world) == 70)
