"""The program that runs inside of a sandbox: it imports nothing of ours but itself.

The folder is mounted read-only and run as `python -m inside`. `encoding`, `decoding` and `framing`
are used at both ends, so that they cannot drift apart.
"""
