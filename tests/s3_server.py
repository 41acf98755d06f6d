"""A real S3 server for tests: SeaweedFS, all its parts in one process, on loopback only. It checks signatures, dates and preconditions."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

import boto3
import psutil
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.clock import SystemClock
from infra.files import write_private
from infra.services import process
from infra.services.account import Account
from infra.services.programs import Program
from infra.services.server import Server

BUCKET = "polybot-data"
ACCESS_KEY = "polybot"
_SOCKETS = Path("/tmp")
_PORTS = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc", "s3.port.grpc")  # fmt: skip


class Seaweed(Server):
    """Ends by SIGKILL: its polite shutdown takes half a minute, and what was answered lies in its files."""

    name = "seaweedfs"
    usual_port = 0
    clean_stop = hard_stop = signal.SIGKILL

    def __init__(self, var: Path) -> None:
        super().__init__(var, var, Account(os.geteuid(), os.getegid(), switch=False), SystemClock())
        self.port = 0
        self._ports: dict[str, int] = {}

    def programs(self) -> Iterable[Program]:
        yield Program(Path(sys.executable).with_name("weed"), "wheel", (4, 48), (), Path("/"))

    def fits(self, program: Program) -> bool:
        return True

    def prepare(self, program: Program, path: Path) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)
        credentials = [{"accessKey": ACCESS_KEY, "secretKey": self.secret}]
        rights = ["Admin", "Read", "Write", "List", "Tagging"]
        identities = [{"name": "polybot", "credentials": credentials, "actions": rights}]
        write_private(self.folder / "s3.json", json.dumps({"identities": identities}))

    def command(self, program: Path, port: int) -> list[str]:
        self.port = port
        self._ports = {name: self._free_port([]) for name in _PORTS}
        options = {
            "dir": self.data,
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "filer": "true",
            "s3": "true",
            "s3.port": port,
            "s3.config": self.folder / "s3.json",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "volume.max": 5,
            "master.telemetry": "false",
            "master.electionTimeout": "500ms",
            **self._ports,
        }
        return [str(program), "-logtostderr=true", "server", *(f"-{name}={value}" for name, value in options.items())]

    def running(self) -> tuple[int, int] | None:
        for found in psutil.process_iter(["pid", "name"]):
            if found.info["name"] == "weed" and process.is_server(found.info["pid"], self.data):
                return found.info["pid"], self.port
        return None

    def answers(self, port: int) -> bool:
        """Tell whether a bucket takes a blob: its parts come up one after the other."""
        client = self.client(port)
        try:
            if BUCKET not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
                client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="ready", Body=b"yes")
            client.delete_object(Bucket=BUCKET, Key="ready")
        except (BotoCoreError, ClientError):
            return False
        finally:
            client.close()
        return True

    def stop(self, within: float) -> bool:
        stopped = super().stop(within)
        for port in (self.port, *self._ports.values()):
            for left in _SOCKETS.glob(f"seaweedfs-*-{port}.sock"):
                left.unlink()
        return stopped

    def url(self, port: int) -> str:
        return f"http://127.0.0.1:{port}"

    def client(self, port: int = 0):
        """Return a client of the server, to look at what lies there and to spoil it."""
        settings = Config(
            s3={"addressing_style": "path"},
            connect_timeout=2,
            read_timeout=5,
            retries={"total_max_attempts": 1},
            request_checksum_calculation="when_required",
        )
        return boto3.client(
            "s3", endpoint_url=self.url(port or self.port), region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY, aws_secret_access_key=self.secret, config=settings,
        )  # fmt: skip

    def environ(self, **changed: str) -> dict[str, str]:
        """Return the variables that configure this server."""
        return {
            "S3_ENDPOINT": f"127.0.0.1:{self.port}",
            "S3_BUCKET": BUCKET,
            "S3_ACCESS_KEY": ACCESS_KEY,
            "S3_SECRET_KEY": self.secret,
            "S3_USE_SSL": "false",
            "S3_FORCE_PATH_STYLE": "true",
            **changed,
        }
