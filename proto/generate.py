"""Generates the committed protobuf code: Python beside the .proto files, TypeScript into the dashboard. `make proto` runs it.

The same .proto files and the same pinned tools give the same bytes. protoc writes absolute imports of the package `polybot`; here they
become relative, so that the code is importable as part of `proto`. TypeScript is left as it is while the dashboard's packages are not
installed, and the answer says so. A compiler error ends the run with the compiler's own words and leaves every file as it was.
"""

from __future__ import annotations

import re
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent
PACKAGE = "polybot/v1"
ES_PLUGIN = ROOT.parent / "dashboard/node_modules/.bin/protoc-gen-es"
ES_OUT = ROOT.parent / "dashboard/src/gen"
_ABSOLUTE_IMPORT = re.compile(r"^from polybot\.v1 import ", re.MULTILINE)


class GenerationError(Exception):
    """protoc refused the .proto files; its reasons are on standard error."""


def sources() -> list[str]:
    """Return the .proto files, relative to the proto folder."""
    return sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob(f"{PACKAGE}/*.proto"))


def generate_python(into: Path) -> list[Path]:
    """Write `*_pb2.py` and `*_pb2.pyi` of all .proto files below `into` and return them."""
    _run(f"--python_out={into}", f"--pyi_out={into}")
    generated = sorted((into / PACKAGE).glob("*_pb2.py*"))
    for path in generated:
        path.write_text(_ABSOLUTE_IMPORT.sub("from . import ", path.read_text()))
    return generated


def generate_typescript(into: Path) -> list[Path]:
    """Write `*_pb.ts` of all .proto files below `into` and return them; needs the dashboard's packages."""
    _run(f"--plugin=protoc-gen-es={ES_PLUGIN}", f"--es_out={into}", "--es_opt=target=ts")
    return sorted((into / PACKAGE).glob("*_pb.ts"))


def replace(folder: Path, pattern: str, generated: list[Path]) -> None:
    """Make `generated` the only files in `folder` that match `pattern`."""
    folder.mkdir(parents=True, exist_ok=True)
    names = {path.name for path in generated}
    for path in folder.glob(pattern):
        if path.name not in names:
            path.unlink()
    for path in generated:
        (folder / path.name).write_bytes(path.read_bytes())


def _run(*options: str) -> None:
    well_known = files("grpc_tools") / "_proto"
    if protoc.main(["protoc", f"-I{ROOT}", f"-I{well_known}", *options, *sources()]):
        raise GenerationError("protoc failed; fix the .proto file it names")


def main() -> int:
    """Regenerate everything that can be regenerated here."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            python = generate_python(Path(folder))
            typescript = generate_typescript(Path(folder)) if ES_PLUGIN.exists() else []
        except GenerationError as error:
            print(error, file=sys.stderr)
            return 1
        replace(ROOT / PACKAGE, "*_pb2.py*", python)
        if typescript:
            replace(ES_OUT / PACKAGE, "*_pb.ts", typescript)
        else:
            print("TypeScript left as it is: run `npm ci` in dashboard/ first", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
