"""A process whose memory is sealed."""

import subprocess
import sys

from infra.paths import ROOT

PROGRAM = """
import os, resource
from infra.memory import seal_memory
if os.geteuid() == 0:
    # The files of root's own processes tell nothing; after this, they are sealed already and opened again for the test.
    os.setuid(65534)
    import ctypes
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
before = os.stat("/proc/self/mem").st_uid == os.geteuid()
seal_memory()
print(before, os.stat("/proc/self/mem").st_uid, resource.getrlimit(resource.RLIMIT_CORE))
"""


def test_no_other_process_of_the_user_can_read_it_and_it_leaves_no_core_dump():
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True)
    # What lies in /proc of a process that may not be dumped belongs to root.
    assert done.stdout == "True 0 (0, 0)\n"
