"""Backups of keys in a real S3 server: never overwritten, refused when spoiled, and every refusal names its fix."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import logging
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import botocore.auth
import pytest
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command

from infra.files import write_private
from infra.health import HealthMonitor
from infra.keystore import ScryptCost, encrypt
from infra.paths import ROOT
from polybot_site import health, key_actions
from polybot_site.config_loader import ConfigError, load
from polybot_site.health import SiteHealth
from polybot_site.key_files import back_up
from polybot_site.key_status import storage_lines
from polybot_site.management.commands import config as config_command
from polybot_site.management.commands import wallet as wallet_command
from polybot_site.storage import BlobStorageError, reach, storage_settings, storage_status
from polybot_site.storage_s3 import S3Blobs
from tests.s3_server import ACCESS_KEY, BUCKET, Seaweed
from tests.trading.factories import FixedClock
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY

PASSWORD = "correct horse battery staple"
NAME = f"keys/{ADDRESS.lower()}.enc"
LIGHT = ScryptCost(n=1024)
STRANGERS_SECRET = "c2VjcmV0LW9mLXNvbWVib2R5LWVsc2U"


@pytest.fixture(scope="module")
def server() -> Iterator[Seaweed]:
    """One S3 server for these tests; it ends with them, or with this process however that ends."""
    folder = Path(tempfile.mkdtemp(prefix="polybot-s3-"))
    seaweed = Seaweed(folder)
    seaweed.start(bound=True, last_port=None)
    yield seaweed
    seaweed.stop(10)
    shutil.rmtree(folder)


@pytest.fixture
def bucket(server: Seaweed) -> Any:
    """A client of the server; its bucket is empty."""
    client = server.client()
    for found in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=found["Key"])
    yield client
    client.close()


class Desk:
    """`manage.py wallet` with a folder, a kept key and a password of its own, and backups in the bucket."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
        self.key = folder / "var" / "keys" / f"{ADDRESS}.json"
        self._monkeypatch, self._settings = monkeypatch, settings
        write_private(folder / "password", PASSWORD)
        self._password = str(folder / "password")
        self.make_key()

    def make_key(self) -> None:
        write_private(self.key, encrypt(bytes.fromhex(PRIVATE_KEY.removeprefix("0x")), PASSWORD, ADDRESS, LIGHT))

    def configure(self, **environ: str) -> None:
        loaded = load({"POLYBOT_CONFIG": "", "POLYBOT_WALLET__PASSWORD_FILE": self._password, **environ})
        self._settings.STORAGES = self._settings.STORAGES | {"default": storage_settings(loaded.config.s3)}
        self._monkeypatch.setattr(wallet_command, "current", lambda: loaded)

    def run(self, *arguments: str) -> str:
        printed = io.StringIO()
        call_command("wallet", *arguments, stdout=printed, no_color=True)
        return printed.getvalue()


@pytest.fixture
def desk(server: Seaweed, bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Desk:
    monkeypatch.setenv("POLYBOT_VAR", str(tmp_path / "var"))
    monkeypatch.setattr(key_actions, "at_terminal", lambda: None)
    made = Desk(tmp_path, monkeypatch, settings)
    made.configure(**server.environ())
    return made


def s3(environ: dict[str, str]) -> Any:
    return load({"POLYBOT_CONFIG": "", **environ}).config.s3


def names(client: Any) -> list[str]:
    return [found["Key"] for found in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def test_a_backup_outlives_the_machine_and_the_servers_kill(server, bucket, desk):
    before = json.loads(desk.key.read_text())
    assert NAME in desk.run("backup", ADDRESS)
    stored = bucket.get_object(Bucket=BUCKET, Key=NAME)["Body"].read()
    assert PRIVATE_KEY.removeprefix("0x").encode() not in stored
    server.stop(10)
    server.start(bound=True, last_port=server.port)
    desk.configure(**server.environ())  # Its old port may be taken, or not be free yet.
    assert f"backup  {ADDRESS}" in desk.run("list")
    desk.key.unlink()
    assert ADDRESS in desk.run("restore", ADDRESS.lower())
    assert desk.key.stat().st_mode & 0o777 == 0o600
    assert json.loads(desk.key.read_text()) == before
    desk.run("backup", ADDRESS)
    with contextlib.closing(server.client()) as client:
        assert client.get_object(Bucket=BUCKET, Key=NAME)["Body"].read() == stored


def test_a_backup_is_private(server, desk):
    desk.run("backup", ADDRESS)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{server.port}/{BUCKET}/{NAME}")
    assert refused.value.code == 403


def test_another_keystore_is_never_replaced_silently_and_then_put_aside(bucket, desk):
    desk.run("backup", ADDRESS)
    first = bucket.get_object(Bucket=BUCKET, Key=NAME)["Body"].read()
    desk.make_key()
    with pytest.raises(CommandError, match=f"another keystore of {ADDRESS}: add --replace"):
        desk.run("backup", ADDRESS)
    assert bucket.get_object(Bucket=BUCKET, Key=NAME)["Body"].read() == first
    desk.run("backup", ADDRESS, "--replace")
    assert bucket.get_object(Bucket=BUCKET, Key=NAME)["Body"].read() != first
    (aside,) = [name for name in names(bucket) if name.startswith("keys/replaced/")]
    assert bucket.get_object(Bucket=BUCKET, Key=aside)["Body"].read() == first
    assert desk.run("list").count("backup  ") == 1


def test_the_server_itself_refuses_the_second_of_two_writers(server, bucket):
    storage = S3Blobs(s3(server.environ()))
    assert storage.save("keys/one.enc", ContentFile(b"first")) == "keys/one.enc"
    with pytest.raises(FileExistsError, match=r"keys/one\.enc lies in the bucket already"):
        storage.save("keys/one.enc", ContentFile(b"second"))
    assert bucket.get_object(Bucket=BUCKET, Key="keys/one.enc")["Body"].read() == b"first"
    assert names(bucket) == ["keys/one.enc"]


def test_a_backup_that_somebody_else_made_in_between_is_not_taken_for_ours(server, bucket, desk, monkeypatch):
    storage = S3Blobs(s3(server.environ()))
    bucket.put_object(Bucket=BUCKET, Key=NAME, Body=b"another writer's")
    monkeypatch.setattr(storage, "exists", lambda name: False)
    with pytest.raises(Exception, match="the storage did not keep what was written"):
        back_up(desk.key, storage, FixedClock())
    assert bucket.get_object(Bucket=BUCKET, Key=NAME)["Body"].read() == b"another writer's"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda good: good[:-40], "is damaged .*: delete it and back the key up again"),
        (lambda good: b"", "is damaged"),
        (lambda good: _flipped(good, b'"ciphertext":"'), "the password is wrong, or the file was changed"),
        (lambda good: _flipped(good, b'"mac":"'), "the password is wrong, or the file was changed"),
        (lambda good: good + b" " * 40_000, "is no backup: it has 40"),
    ],
)
def test_a_spoiled_backup_is_refused_and_the_local_key_untouched(bucket, desk, spoil, told):
    desk.run("backup", ADDRESS)
    before = desk.key.read_bytes()
    good = bucket.get_object(Bucket=BUCKET, Key=NAME)["Body"].read()
    bucket.put_object(Bucket=BUCKET, Key=NAME, Body=spoil(good))
    other = desk.key.with_name("other.json")
    with pytest.raises(CommandError, match=told):
        desk.run("restore", ADDRESS, "--file", str(other))
    assert not other.exists()
    assert desk.key.read_bytes() == before


def _flipped(text: bytes, after: bytes) -> bytes:
    at = text.index(after) + len(after)
    return text[:at] + (b"0" if text[at : at + 1] != b"0" else b"1") + text[at + 1 :]


def test_a_restore_over_a_key_that_is_there_is_refused(desk):
    desk.run("backup", ADDRESS)
    desk.make_key()
    before = desk.key.read_bytes()
    with pytest.raises(CommandError, match="exists and is not touched: name another file with --file"):
        desk.run("restore", ADDRESS)
    assert desk.key.read_bytes() == before
    elsewhere = desk.key.with_name("elsewhere.json")
    desk.run("restore", ADDRESS, "--file", str(elsewhere))
    assert elsewhere.exists()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"S3_SECRET_KEY": STRANGERS_SECRET}, "the secret key is wrong: check S3_SECRET_KEY"),
        ({"S3_ACCESS_KEY": "nobody"}, "it does not know the access key: check S3_ACCESS_KEY"),
        ({"S3_BUCKET": "not-there"}, "bucket not-there at .*no bucket of that name: make it, or check S3_BUCKET"),
    ],
)
def test_a_wrong_setting_is_named_by_every_action(server, desk, changed, told):
    desk.configure(**server.environ(**changed))
    for action in (("backup", ADDRESS), ("restore", ADDRESS), ("list",)):
        with pytest.raises(CommandError, match=told) as caught:
            desk.run(*action)
        assert STRANGERS_SECRET not in str(caught.value)
    place, problem = storage_lines(storage_status(s3(server.environ(**changed))))
    assert place.startswith("backups    bucket ")
    assert re.search(f"^problem: .*{told}", problem)


@pytest.mark.parametrize(("hours", "word"), [(1, "ahead of"), (-1, "behind")])
def test_a_clock_that_is_wrong_is_named(server, monkeypatch, hours, word):
    """The server refuses the date; ours is what differs, so both are moved together."""
    shifted = dt.timedelta(hours=hours)
    now = botocore.auth.get_current_datetime

    class Moved(dt.datetime):
        @classmethod
        def now(cls, tz=None):
            return dt.datetime.now(tz) + shifted

    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *given, **named: now(*given, **named) + shifted)
    monkeypatch.setattr("polybot_site.storage_s3.datetime", Moved)
    with pytest.raises(BlobStorageError, match=rf"clock is 3[56]\d\d s {word} the server's: set it \(NTP\)"):
        reach(s3(server.environ()))


def test_a_server_that_is_away_is_told_within_seconds(desk, server):
    desk.configure(**server.environ(S3_ENDPOINT="127.0.0.1:1"))
    with pytest.raises(CommandError, match=r"at http://127\.0\.0\.1:1 cannot be reached: check S3_ENDPOINT"):
        desk.run("backup", ADDRESS)


def test_a_server_that_takes_requests_and_never_answers_is_told_too(server, monkeypatch):
    monkeypatch.setattr("polybot_site.storage_s3._ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(BlobStorageError, match="cannot be reached"):
        reach(s3(server.environ(S3_ENDPOINT=f"127.0.0.1:{silent.getsockname()[1]}")))


def test_plain_http_behind_tls_is_told(server):
    with pytest.raises(BlobStorageError, match="S3_USE_SSL"):
        reach(s3(server.environ(S3_USE_SSL="true")))


def test_the_environment_of_other_programs_does_not_reach_it(server, bucket, monkeypatch):
    for name in ("AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "somebody else's")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    reach(s3(server.environ()))


def test_health_and_status_tell_whether_it_can_be_reached(server, desk, monkeypatch, redis_url):
    # A busy machine is no answer: only what the server says decides here.
    monkeypatch.setattr(health, "HealthMonitor", partial(HealthMonitor, timeout=60.0))
    monkeypatch.setattr(health, "_FIRST_ANSWER_WITHIN", 60.0)
    assert storage_status(s3(server.environ())) == {
        "place": f"bucket {BUCKET} at http://127.0.0.1:{server.port}",
        "trouble": "",
    }
    assert _health(monkeypatch, redis_url, server.environ())["s3"] == (True, True, 60.0, "")
    enabled, ok, _, error = _health(monkeypatch, redis_url, server.environ(S3_SECRET_KEY=STRANGERS_SECRET))["s3"]
    assert (enabled, ok) == (True, False)
    assert "check S3_SECRET_KEY" in error


def _health(monkeypatch: pytest.MonkeyPatch, redis_url: str, environ: dict[str, str]) -> dict[str, tuple[Any, ...]]:
    loaded = load({"POLYBOT_CONFIG": "", **environ})
    monkeypatch.setattr(health, "current", lambda: loaded)
    monkeypatch.setattr(health, "current_account", lambda: "sim:1")
    report = SiteHealth(redis_url).report()
    return {check.name: (check.enabled, check.ok, check.interval, check.last_error) for check in report.checks}


def test_the_keys_are_never_shown(server, desk, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG)
    desk.run("backup", ADDRESS)
    loaded = load({"POLYBOT_CONFIG": "", **server.environ()})
    monkeypatch.setattr(config_command, "current", lambda: loaded)
    printed = io.StringIO()
    call_command("config", stdout=printed)
    assert "S3_SECRET_KEY" in printed.getvalue()
    shown = printed.getvalue() + repr(loaded.config) + repr(storage_settings(loaded.config.s3)) + caplog.text
    assert server.secret not in shown
    assert f"access_key={ACCESS_KEY}" not in shown


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"S3_BUCKET": "b-1"}, "s3.access_key is not: set S3_ACCESS_KEY"),
        ({"S3_BUCKET": "b-1", "S3_ACCESS_KEY": "a"}, "s3.secret_key is not: set S3_SECRET_KEY"),
        ({"S3_ACCESS_KEY": "a", "S3_SECRET_KEY": "b"}, "s3.bucket is empty .* set S3_BUCKET"),
        ({"S3_ENDPOINT": "http://host"}, "s3.endpoint was 'http://host' .* host or host:port, without http://"),
        ({"S3_BUCKET": "No_Bucket"}, "s3.bucket was 'No_Bucket'"),
    ],
)
def test_half_a_configuration_is_refused_at_start(environ, told):
    with pytest.raises(ConfigError, match=told):
        load({"POLYBOT_CONFIG": "", **environ})


def test_without_s3_nothing_of_it_is_imported(tmp_path):
    program = (
        "import sys; from django.core.files.storage import default_storage; default_storage.exists('x');"
        "import polybot_site.key_actions, polybot_site.storage;"
        "print([name for name in sys.modules if name.split('.')[0] in ('boto3', 'botocore', 'storages')])"
    )
    environ = {"POLYBOT_CONFIG": "", "POLYBOT_VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "polybot_site.settings"}
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"


class LossyWay:
    """A way to the server that loses the answer to the first write, after the server has carried it out."""

    def __init__(self, port: int) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._target = ("127.0.0.1", port)
        self.port = self._server.getsockname()[1]
        self.writes = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                upstream = socket.create_connection(self._target)
                threading.Thread(target=self._requests, args=(client, upstream), daemon=True).start()
                threading.Thread(target=self._answers, args=(upstream, client), daemon=True).start()

    def _requests(self, client: socket.socket, upstream: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                self.writes += data.startswith(b"PUT ")
                upstream.sendall(data)

    def _answers(self, upstream: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := upstream.recv(65536):
                if self.writes == 1 and b"200 OK" in data:
                    break
                client.sendall(data)
        for end in (client, upstream):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def test_a_write_whose_answer_is_lost_is_repeated_and_found_done(server, bucket, desk):
    way = LossyWay(server.port)
    desk.configure(**server.environ(S3_ENDPOINT=f"127.0.0.1:{way.port}"))
    desk.run("backup", ADDRESS)
    way.close()
    assert way.writes == 2
    assert names(bucket) == [NAME]
    desk.key.unlink()
    desk.configure(**server.environ())
    desk.run("restore", ADDRESS)
