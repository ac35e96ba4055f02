"""Places: what a file says of this machine's folders is taken out before the file leaves it."""

from __future__ import annotations

import base64
import binascii
import gzip
import os
import re
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.paths import resource
from pipeline.settings import Settings

TEXTS = frozenset({".json", ".jsonl", ".py", ".csv", ".html", ".txt", ".smk", ""})
"""Kinds of files that are read for paths; tables and drawings hold none."""

_SOURCE = re.compile(r'(File \\?")/[^"\\]*/([^/"\\]+\\?")')
"""A line of a traceback: the file keeps its name, and loses its folder."""
_ENDPOINT = re.compile(r'("endpoint": ")[a-z]+://[^"]*(")')
"""The address of a model's server in a trajectory."""

_PACKED = re.compile(r'(<script type="text/plain"[^>]*>)([A-Za-z0-9+/=]+)(</script>)')
"""Packed data of a page: what is in there would leave the machine as well."""


@dataclass(frozen=True)
class Places:
    """Folders of this machine, each with the word that stands for it, longest first."""

    words: tuple[tuple[str, str], ...]

    @classmethod
    def of(
        cls, run: Path, settings: Iterable[Settings], filesets: Iterable[Mapping[str, Any]]
    ) -> Places:
        """The places that the files of a run may name; its filesets say where the events lie."""
        found: dict[str, str] = {}

        def add(path: object, word: str) -> None:
            text = str(path).rstrip("/")
            if text.count("/") >= (1 if word == "<home>" else 2):
                found.setdefault(text, word)

        add(run, "<run>")
        add(run.parent, "<outputs>")
        for one in settings:
            for path, word in (
                (one.data.location, "<data>"),
                (one.data.cache, "<cache>"),
                (one.data.manifest and Path(one.data.manifest).parent, "<manifest>"),
                (one.data.skim, "<skim>"),
                (one.run.outputs, "<outputs>"),
                (one.site.container, "<image>"),
                (one.site.sandbox_image, "<image>"),
                (one.site.local_disk, "<disk>"),
                (one.model.recorded, "<recorded>"),
                (one.model.serve.weights, "<weights>"),
                (one.model.api_key_file, "<key>"),
            ):
                if path and str(path).startswith("/"):
                    add(path, word)
            if one.model.base_url:
                found.setdefault(one.model.base_url.rstrip("/"), "<endpoint>")
        for folder in _folders(filesets):
            add(folder, "<data>")
        add(sys.prefix, "<python>")
        add(sys.base_prefix, "<python>")
        add(resource("conf").parent, "<ladon>")
        add(Path.home(), "<home>")
        longest = sorted(found.items(), key=lambda item: -len(item[0]))
        return cls(tuple(longest))

    def without(self, text: str) -> str:
        """`text` with each place replaced by its word."""
        for place, word in self.words:
            if place in text:
                text = text.replace(place, word)
        text = _PACKED.sub(self._repacked, text)
        text = _SOURCE.sub(r"\1\2", text)
        return _ENDPOINT.sub(r"\1<endpoint>\2", text)

    def _repacked(self, element: re.Match[str]) -> str:
        """Data of a page, as `pipeline.sweep_page.pieces` packs them, without places."""
        begin, data, end = element.groups()
        try:
            before = gzip.decompress(base64.b64decode(data, validate=True)).decode("utf-8")
        except (binascii.Error, OSError, EOFError, zlib.error, ValueError):
            return element.group()
        after = self.without(before)
        if after == before:
            return element.group()
        packed = gzip.compress(after.encode("utf-8"), compresslevel=9, mtime=0)
        return f"{begin}{base64.b64encode(packed).decode('ascii')}{end}"

    def clean(self, path: Path) -> bytes | None:
        """The bytes of a text file without places; None if nothing in it has to change."""
        if path.suffix not in TEXTS:
            return None
        before = path.read_bytes()
        after = self.without(before.decode("utf-8", errors="surrogateescape"))
        changed = after.encode("utf-8", errors="surrogateescape")
        return None if changed == before else changed


def _folders(filesets: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The folders of the events: what their paths have in common, and each folder by itself."""
    for fileset in filesets:
        files = [f["path"] for sample in fileset["samples"].values() for f in sample["files"]]
        folders = sorted({str(Path(path).parent) for path in files if path.startswith("/")})
        if folders:
            yield os.path.commonpath(folders)
        yield from folders
        if str(fileset.get("location", "")).startswith("/"):
            yield fileset["location"]
