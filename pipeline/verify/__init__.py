"""`ladon verify`: every hash and every number of a run against the files that it claims."""

from __future__ import annotations

from pathlib import Path

from pipeline.verify.findings import Verification
from pipeline.verify.folder import RunFolder, VerifyError

__all__ = ["Verification", "VerifyError", "verify"]


def verify(path: Path, judge_again: bool = False) -> Verification:
    """Everything that can be checked of the run in `path`; nothing in it is changed.

    With `judge_again` every stage is judged anew, which runs the frozen solutions in their
    sandbox. Raises VerifyError if there is no run, or its plan cannot be read.
    """
    from pipeline.verify.frozen import check_settings
    from pipeline.verify.kept import check_kept
    from pipeline.verify.ledger import check_ledgers
    from pipeline.verify.lineage import check_lineage
    from pipeline.verify.numbers import check_results
    from pipeline.verify.origin import check_provenance
    from pipeline.verify.outputs import check_outputs
    from pipeline.verify.page import check_report
    from pipeline.verify.solutions import check_solutions
    from pipeline.verify.trajectories import check_trajectories
    from pipeline.verify.verdicts import check_verdicts

    run = RunFolder.open(path)
    collected = check_results(run)
    return Verification(
        run.path.name,
        (
            check_lineage(run),
            check_settings(run),
            check_solutions(run),
            check_trajectories(run),
            check_outputs(run),
            check_ledgers(run),
            check_verdicts(run, judge_again),
            check_kept(run),
            check_provenance(run),
            collected.group,
            check_report(run, collected.results),
        ),
    )
