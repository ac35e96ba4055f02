"""From one file to all of them, by the real command: each share when the one before it is green.

On SYNTHETIC files under the names of the 2025 release, many small ones of each sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import EXIT_USAGE
from pipeline.configure import configure
from pipeline.data.share import share_of
from pipeline.files import read_json
from tests.chaos.mirror import Mirror, make_mirror
from tests.command import Ladon

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
FILES = 10
"""Of each sample: of data 160, so that each share has more than the one before it."""
SHARES = {"one": 1, "1%": 2, "10%": 16, "all": 160}
"""Share -> files of data."""


@dataclass(frozen=True)
class Promotion:
    """The command, and the mirror that it reads."""

    ladon: Ladon
    mirror: Mirror

    def words(self, *more: str) -> list[str]:
        return [
            "channel=hyy", "data=opendata_2025", "solver=reference", "stages=[inspect,convert]",
            f"data.manifest='{self.mirror.manifest}'", f"data.location='{self.mirror.folder}'",
            "data.verify=size", "site.budget.gate_core_hours=0.000001", *more,
        ]  # fmt: skip

    def run(self, name: str, share: str, *more: str) -> str:
        """What a run printed that was let through."""
        given = self.words(f"run.name={name}", f"data.share={share}", *more)
        return " ".join(self.ladon("run", *given).split())

    def refused(self, share: str, *more: str) -> str:
        """The sentence with which a run was refused; nothing was begun."""
        child = self.ladon.start(
            "run", *self.words("run.name=refused", f"data.share={share}", *more)
        )
        text, _ = child.communicate()
        assert child.returncode == EXIT_USAGE, text
        assert "Traceback" not in text
        assert not (self.ladon.folder / "outputs" / "refused" / "sweep.json").exists()
        return " ".join(text.split())

    def cost(self) -> dict[str, Any]:
        """Share -> the check of its cost."""
        (folder,) = (self.ladon.folder / "outputs" / "promotions").iterdir()
        steps = {
            path.stem.replace("_percent", "%"): read_json(path)["step"] for path in folder.iterdir()
        }
        return {
            share: next(c for c in step["checks"] if c["name"] == "cost")
            for share, step in steps.items()
        }


@pytest.fixture(scope="module")
def promotion(tmp_path_factory: pytest.TempPathFactory) -> Promotion:
    folder = tmp_path_factory.mktemp("promotion")
    return Promotion(Ladon(folder), make_mirror(folder / "mirror", FILES))


def first_of_data(mirror: Mirror) -> Path:
    """The one file of data that data.share=one has."""
    names = configure(["channel=hyy"]).channel.processes["data"].samples
    files = {path.name: path for name in names for path in mirror.pieces[name]}
    (chosen,) = share_of([*files], "one")
    return files[chosen]


def test_from_one_file_to_all(promotion: Promotion) -> None:
    largest = max(promotion.mirror.files, key=lambda p: p.stat().st_size)
    said = promotion.ladon("plan", "--measure", str(largest), "--synthetic", *promotion.words())
    assert "s per worker" in said

    # Nothing was run: no share but the first may be.
    for share, before in (("all", "10%"), ("10%", "1%"), ("1%", "one")):
        assert f"expected a green run with data.share={before} before" in promotion.refused(share)

    # A file of the first share is damaged: that step is red, and says why.
    path = first_of_data(promotion.mirror)
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes(2000) + content[middle + 2000 :])
    assert "data.share=one: not green" in promotion.run("broken", "one")
    sentence = promotion.refused("1%")
    assert "not green: ledger: " in sentence
    assert "run again: ladon run channel=hyy data=opendata_2025 data.share=one" in sentence
    path.write_bytes(content)

    for number, (share, files) in enumerate(SHARES.items()):
        more = [f"site.budget.convert_jobs={1 + number % 2}"]  # in one piece, and in parts
        said = promotion.run(f"step-{number}", share, *more)
        outputs = promotion.ladon.folder / "outputs" / f"step-{number}"
        samples = promotion.ladon.results(f"step-{number}")["samples"].values()
        assert sum(s["kind"] == "data" and s["entries"] > 0 for s in samples) <= min(files, 16)
        assert read_json(outputs / "points" / "main" / "settings.json")["unblind"] is False
        if share == "all":
            continue
        assert f"data.share={share}: green, the next share may follow" in said, said
        assert abs(promotion.cost()[share]["ratio"] - 1) <= 0.3
    assert "stays blinded" in promotion.refused("10%", "unblind=true")
    print({share: check["said"] for share, check in promotion.cost().items()})
