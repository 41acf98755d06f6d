"""The committed code is exactly what the .proto files give, and the schema is clean."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from proto import generate

COMMITTED = generate.ROOT / generate.PACKAGE
BUF = Path(sys.executable).parent / "buf"


def contents(folder, pattern):
    return {path.name: path.read_bytes() for path in folder.glob(pattern)}


def test_the_committed_python_code_is_reproduced_byte_for_byte(tmp_path):
    generate.generate_python(tmp_path)
    assert contents(tmp_path / generate.PACKAGE, "*_pb2.py*") == contents(COMMITTED, "*_pb2.py*")


@pytest.mark.skipif(not generate.ES_PLUGIN.exists(), reason="the dashboard's packages are not installed")
def test_the_committed_typescript_code_is_reproduced_byte_for_byte(tmp_path):
    generate.generate_typescript(tmp_path)
    committed = contents(generate.ES_OUT / generate.PACKAGE, "*_pb.ts")
    assert contents(tmp_path / generate.PACKAGE, "*_pb.ts") == committed


def test_code_of_a_removed_schema_file_is_removed(tmp_path):
    stale, kept = tmp_path / "old_pb2.py", tmp_path / "new" / "fresh_pb2.py"
    kept.parent.mkdir()
    stale.write_text("")
    kept.write_text("x = 1")
    generate.replace(tmp_path, "*_pb2.py*", [kept])
    assert contents(tmp_path, "*_pb2.py*") == {"fresh_pb2.py": b"x = 1"}


@pytest.mark.parametrize("arguments", [["lint"], ["format", "--diff", "--exit-code"]])
def test_the_schema_is_clean(arguments):
    answer = subprocess.run([BUF, *arguments], cwd=generate.ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_order_side_is_defined_once():
    definitions = [path.name for path in COMMITTED.glob("*.proto") if "enum OrderSide" in path.read_text()]
    assert definitions == ["order.proto"]
