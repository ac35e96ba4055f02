"""Measure the compressed bytes per event of every branch: `python -m pipeline.plan.measure_branches
--release RELEASE --skim SKIM [--synthetic] FILE...`; the table of a release is written anew."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

import uproot

from pipeline.data.verify import adler32_file
from pipeline.files import write_json
from pipeline.plan.branches import FOLDER, MeasuredFile, branch_table


def measure(path: Path, tree: str, skim: str, kind: str, synthetic: bool) -> MeasuredFile:
    """What the branches of `tree` take in a file; ValueError if it has too few entries to tell."""
    with uproot.open(path) as file:
        found = file[tree]
        entries = int(found.num_entries)
        if not entries:
            raise ValueError(f"expected entries in tree {tree!r} of {path}, found none")
        branches = {
            str(name): round(branch.compressed_bytes / entries, 4)
            for name, branch in sorted(found.iteritems(recursive=True))
            if branch.num_baskets
        }
    if not any(branches.values()):
        raise ValueError(
            f"expected baskets of their own in {path}, found {entries} entries inside the tree's "
            "header; measure a file with more events"
        )
    return MeasuredFile(
        path.name, adler32_file(path), path.stat().st_size, entries, kind, skim, synthetic,
        branches,
    )  # fmt: skip


def main() -> None:
    """Measure the files, and put them in the place of those of the same skim and kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--release", required=True)
    parser.add_argument("--tree", required=True)
    parser.add_argument("--skim", required=True)
    parser.add_argument("--kind", choices=("data", "mc"), required=True)
    parser.add_argument("--synthetic", action="store_true", help="the files were generated")
    parser.add_argument("files", nargs="+", type=Path)
    given = parser.parse_args()
    new = [measure(p, given.tree, given.skim, given.kind, given.synthetic) for p in given.files]
    table = branch_table(given.release)
    kept = [
        f for f in (table.files if table else ()) if (f.skim, f.kind) != (given.skim, given.kind)
    ]
    write_json(
        FOLDER / f"{given.release}.json",
        {"schema": 1, "release": given.release, "files": [asdict(f) for f in [*kept, *new]]},
    )


if __name__ == "__main__":
    main()
