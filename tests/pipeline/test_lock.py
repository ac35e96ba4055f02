"""One run directory, one run; the lock dies with its holder."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.lock import RunLockedError, run_lock

HOLDER = """
import sys, time
from pathlib import Path
from pipeline.lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_run_is_refused_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(RunLockedError, match=f"process {child.pid} on"), run_lock(tmp_path):
            pass
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()
    with run_lock(tmp_path):
        pass
