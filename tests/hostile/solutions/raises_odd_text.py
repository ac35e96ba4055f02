"""Raises an exception whose name and text are no proper Unicode, and prints such bytes.

stage: preprocess
caught by: bench
category: other
attribution: model
"""

import os


def preprocess(tables, info):
    os.write(1, bytes(range(256)))
    os.write(2, b"\x1b[2J\x1b]0;owned\x07[/red] {{ 7 * 7 }} ```")
    raise type("Odd\ud800", (Exception,), {})("lone \ud800 surrogate, zero \x00, {{ 7 * 7 }} [/]")
