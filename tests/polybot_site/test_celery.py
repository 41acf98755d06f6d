"""Queues of scheduled work."""

import redis

from polybot_site.celery import app

QUEUES = ["scrape", "archive", "backtest"]


def test_a_task_goes_to_one_queue_only(redis_url):
    with app.connection_for_write(redis_url) as connection:
        app.select_queues(QUEUES)  # as `worker --queues` does
        for queue in app.amqp.queues.consume_from.values():
            queue(connection.default_channel).declare()
        app.send_task("some.task", connection=connection)
        app.send_task("other.task", connection=connection, queue="archive")
    with redis.Redis.from_url(redis_url) as client:
        assert {name: client.llen(name) for name in QUEUES} == {"scrape": 1, "archive": 1, "backtest": 0}
