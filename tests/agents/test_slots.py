"""Slots are shared between processes, and those of the dead are free again."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agents.errors import SlotError
from agents.slots import EndpointSlots

HOLDER = """
import sys, time
from pathlib import Path
from agents.slots import EndpointSlots
with EndpointSlots("http://host/v1", 1, Path(sys.argv[1])).hold():
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_slot_is_held_across_processes_and_freed_by_death(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    got = threading.Event()

    def want() -> None:
        with EndpointSlots("http://host/v1", 1, tmp_path).hold():
            got.set()

    waiting = threading.Thread(target=want)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        waiting.start()
        assert not got.wait(0.2)
        with EndpointSlots("http://other/v1", 1, tmp_path).hold():
            assert not got.is_set()
    finally:
        holder.kill()
        holder.communicate()
    assert got.wait(5)
    waiting.join()


def test_a_slot_is_given_back_when_its_holder_fails(tmp_path: Path) -> None:
    slots = EndpointSlots("http://host/v1", 1, tmp_path)
    for _ in range(3):
        with pytest.raises(KeyError), slots.hold():
            raise KeyError
    started = time.monotonic()
    with slots.hold():
        assert time.monotonic() - started < 0.5


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(SlotError, match="name one that can be written"):  # noqa: SIM117
        with EndpointSlots("http://host/v1", 1, file / "slots").hold():
            pass
