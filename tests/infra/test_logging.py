"""What is logged, in which form, and what never is."""

import errno
import io
import json
import logging

import pytest
import structlog

from infra import logging as polybot_logging

PRIVATE_KEY = "0x" + "cd" * 32


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def logged():
    """Log to a buffer; afterwards this process logs as before."""
    root, configuration = logging.getLogger(), structlog.get_config()
    handlers, level, hidden = root.handlers[:], root.level, set(polybot_logging._hidden)
    streams = []

    def start(stream=None, **options):
        streams.append(stream or io.StringIO())
        polybot_logging.configure(stream=streams[0], **options)
        return streams[0]

    yield start
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**configuration)
    polybot_logging._hidden.clear()
    polybot_logging._hidden.update(hidden)


def test_a_line_away_from_a_terminal_is_json_with_all_fields(logged):
    stream = logged()
    structlog.get_logger("trader").info("order placed", order_id="0x1", price=520_000)
    line = json.loads(stream.getvalue())
    assert line["event"] == "order placed"
    assert (line["order_id"], line["price"], line["level"], line["logger"]) == ("0x1", 520_000, "info", "trader")
    assert line["timestamp"].endswith("Z")


def test_a_line_on_a_terminal_is_text(logged):
    stream = logged(stream=Terminal())
    structlog.get_logger().info("order placed", order_id="0x1")
    assert "order placed" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_libraries_are_logged_in_the_same_form(logged):
    stream = logged()
    logging.getLogger("library").warning("slow %s", "answer", extra={"seconds": 3})
    line = json.loads(stream.getvalue())
    assert (line["event"], line["logger"], line["seconds"]) == ("slow answer", "library", 3)


def test_lines_below_the_level_are_dropped(logged):
    stream = logged(level="WARNING")
    structlog.get_logger().info("quiet")
    logging.getLogger("library").info("quiet")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_hidden_value_appears_nowhere_not_even_in_a_traceback(logged, log_format):
    stream = logged(log_format=log_format)
    polybot_logging.hide([PRIVATE_KEY])
    try:
        raise ValueError(f"bad key {PRIVATE_KEY}")
    except ValueError:
        structlog.get_logger().exception("signing failed", detail=[f"key={PRIVATE_KEY}"])
        logging.getLogger("library").exception("failed with %s", PRIVATE_KEY)
    assert PRIVATE_KEY not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def test_short_values_are_not_hidden_because_they_would_mask_everything(logged):
    stream = logged()
    polybot_logging.hide(["a", ""])
    structlog.get_logger().info("a plain line")
    assert json.loads(stream.getvalue())["event"] == "a plain line"


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "private_key",
        "api_key",
        "apiKey",
        "api_secret",
        "passphrase",
        "POLY_PASSPHRASE",
        "Authorization",
        "set_cookie",
        "token",
        "api_token",
    ],
)
def test_a_field_named_like_a_secret_is_masked_also_when_nested(logged, name):
    stream = logged()
    structlog.get_logger().info("login", **{name: "hunter2hunter2"}, headers={name: "hunter2hunter2"})
    assert "hunter2" not in stream.getvalue()


@pytest.mark.parametrize("name", ["token_id", "tokens", "key", "secretary", "asset"])
def test_a_field_that_only_resembles_a_secret_is_shown(logged, name):
    stream = logged()
    structlog.get_logger().info("book", **{name: "71321045679"})
    assert json.loads(stream.getvalue())[name] == "71321045679"


def test_the_password_of_a_url_is_masked(logged):
    stream = logged()
    structlog.get_logger().info(
        "connect to postgresql://polybot:hunter2@127.0.0.1:5432/polybot and redis://:hunter2@127.0.0.1/0"
    )
    assert json.loads(stream.getvalue())["event"] == (
        "connect to postgresql://polybot:********@127.0.0.1:5432/polybot and redis://:********@127.0.0.1/0"
    )


def test_masking_leaves_the_callers_own_mapping_alone(logged):
    logged()
    headers = {"authorization": "Bearer x"}
    structlog.get_logger().info("request", headers=headers)
    assert headers == {"authorization": "Bearer x"}


class FullDisk(io.StringIO):
    def write(self, text):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_loses_lines_and_stops_nobody(logged, capsys):
    logged(FullDisk())

    structlog.get_logger("polybot").error("nobody will read this")
    logging.getLogger("library").error("nor this")

    assert "No space left on device" in capsys.readouterr().err
