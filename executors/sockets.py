"""Folders for sockets: the name of a socket has room for 107 bytes, and TMPDIR may be longer."""

from __future__ import annotations

import os
import tempfile
from multiprocessing import util

MOST = 107
"""Bytes that Linux takes for the name of a socket, without the zero at its end."""
SHORT = ("/tmp", "/var/tmp", "/dev/shm")


def folder_for_sockets(below: str) -> str:
    """The temporary folder, or one with a shorter name where `below` it no socket would fit.

    `below` has as many bytes as the socket's name after that of the folder.
    """
    here = tempfile.gettempdir()
    for folder in (here, *SHORT):
        fits = len(os.fsencode(folder)) + 1 + len(below) <= MOST
        if fits and os.access(folder, os.W_OK | os.X_OK):
            return folder
    return here


def give_multiprocessing_room() -> None:
    """Have multiprocessing put its own sockets where their names fit.

    It keeps the folder that it makes when it is first asked, and removes it at the end.
    """
    before, place = tempfile.tempdir, folder_for_sockets("pymp-12345678/listener-12345678")
    if place == tempfile.gettempdir():
        return
    tempfile.tempdir = place
    try:
        util.get_temp_dir()
    finally:
        tempfile.tempdir = before
