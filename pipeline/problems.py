"""Why a run failed, in sentences: what its steps said, and what SLURM said where no step could."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from executors.serving.folder import last_lines
from pipeline.files import read_json
from pipeline.graph import LOG
from pipeline.steps.errors import FOLDER as ERRORS

MOST_SAID = 5
"""Jobs of one step whose sentences are shown: convert may have two thousand."""
SLURM_LOGS = Path("logs") / "slurm"
_SUBMISSION = re.compile(
    r"SLURM (?:job submission|sbatch) failed\. The error message was '?(.+?)'?\.?$", re.MULTILINE
)
_STATUS = re.compile(
    r"SLURM-job '(\d+)' failed(?: due to a node failure)?,\s+SLURM status is: '([A-Z_ ]+)"
)
_ACCOUNT = re.compile(r"The given account (\S+) appears to be invalid", re.IGNORECASE)


def problems(folder: Path, since: int) -> tuple[str, ...]:
    """What went wrong in the start of the graph whose log begins at `since`; never empty."""
    said = of_steps([read_json(p) for p in sorted((folder / ERRORS).glob("*.json"))])
    said += of_slurm(folder, _log(folder, since))
    if not said:
        said = [f"the graph stopped without a failed step; look into {folder / LOG}"]
    return tuple(dict.fromkeys(said))


def of_steps(told: Iterable[Mapping[str, Any]]) -> list[str]:
    """What steps said; of one that many jobs have failed in, the first few sentences."""
    said: dict[str, list[str]] = {}
    for one in told:
        step = str(one.get("step"))
        sentence = f"{step}: {one.get('sentence')} ({_whose(one)}log: {one.get('log')})"
        said.setdefault(step, []).append(sentence)
    found = []
    for step, sentences in said.items():
        found += sentences[:MOST_SAID]
        if (more := len(sentences) - MOST_SAID) > 0:
            found.append(f"{step}: {more} more of its jobs failed; look into {ERRORS}/")
    return found


def of_slurm(folder: Path, log: str) -> list[str]:
    """What the log of Snakemake's SLURM plugin tells of jobs that were refused or lost."""
    said = []
    for account in dict.fromkeys(_ACCOUNT.findall(log)):
        said.append(
            f"expected an account of SLURM that may be used, found {account!r}; name yours with "
            "site.account=NAME (`sacctmgr show associations user=$USER` lists them)"
        )
    for why in dict.fromkeys(_SUBMISSION.findall(log)):
        said.append(f"SLURM did not take a job: {why.strip()}; {_advice(why)}")
    for job, state in dict.fromkeys(_STATUS.findall(log)):
        said.append(_of_job(folder, job, state))
    return said


def _of_job(folder: Path, job: str, state: str) -> str:
    """One job that ended badly: what SLURM called it, and why where its log says so."""
    found = sorted((folder / SLURM_LOGS).glob(f"**/{job}.log"))
    rule = found[0].relative_to(folder / SLURM_LOGS).parent.as_posix() if found else "a step"
    text = found[0].read_text(encoding="utf-8", errors="replace") if found else ""
    where = f"log: {found[0].relative_to(folder)}" if found else "it has left no log"
    if re.search(r"oom[-_ ]kill|out of memory", text, re.IGNORECASE):
        return (
            f"job {job} ({rule}) needed more memory than SLURM gave it; raise mem_mb of its rule "
            f"in the site's profile (site.memory_gb for convert); {where}"
        )
    if state == "TIMEOUT" or "DUE TO TIME LIMIT" in text:
        return (
            f"job {job} ({rule}) ran into its walltime; raise runtime of its rule in the site's "
            f"profile; {where}"
        )
    if state == "NODE_FAIL" or "DUE TO NODE FAILURE" in text:
        return f"job {job} ({rule}) lost its node; give the same command again; {where}"
    if state.startswith("CANCELLED"):
        return f"job {job} ({rule}) was cancelled; give the same command again; {where}"
    end = last_lines(found[0], 2) if found else ""
    return f"job {job} ({rule}) ended as {state}; its log ends: {end!r}; {where}"


def _advice(why: str) -> str:
    low = why.lower()
    if "partition" in low:
        return "name one that `sinfo` lists with site.partition=NAME"
    if "account" in low:
        return "name yours with site.account=NAME"
    if "qos" in low:
        return "name one of yours with site.qos=NAME"
    return "correct the site's profile (slurm/profiles), or ask `ladon doctor`"


def _log(folder: Path, since: int) -> str:
    with (folder / LOG).open("rb") as log:
        log.seek(since)
        return log.read().decode("utf-8", errors="replace")


def _whose(told: Mapping[str, Any]) -> str:
    """Whom a fault counts against, where that is known."""
    attribution = told.get("attribution")
    return f"counts against the {attribution}, not the model; " if attribution else ""
