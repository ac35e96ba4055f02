"""The data of a run on their way: samples being made or found, chunks being converted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.files import sha256_file
from pipeline.progress import FOLDER as PROGRESS
from pipeline.status.flight import Flight
from pipeline.status.reading import Reader, Signature, json_object, number_in, signature_of
from pipeline.status.snapshot import Conversion, Owner, StepState, Work
from pipeline.status.stages import ERRORS, Moment
from pipeline.workflow.layout import Layout, PointPlan


@dataclass
class Data:
    """What a run reads, and how far it is with it."""

    run: Path
    reader: Reader
    _totals: dict[str, tuple[Signature, int]] = field(default_factory=dict)
    _stores: dict[Path, tuple[Signature, str]] = field(default_factory=dict)

    def work(self, layout: Layout, moment: Moment) -> tuple[Work, ...]:
        """The steps that belong to no stage, in their order."""
        keys = list(dict.fromkeys(point.fileset for point in layout.points))
        found = []
        for key in keys:
            for record in layout.synthetic_records(key):
                found.append(self._work("synthesize", record, moment, f"synthesize-{key}"))
            found.append(self._work("fileset", f"fileset/{key}.json", moment, f"fileset-{key}"))
        return (*found, self._work("report", "report.html", moment, "report"))

    def conversions(self, layout: Layout, owners: tuple[Owner, ...]) -> tuple[Conversion, ...]:
        """The owners whose solution of convert is there to be run, or has run."""
        plans = {f"points/{p.name}": p for p in layout.points}
        plans |= {f"reference/{p.reference}": p for p in layout.points}
        return tuple(self._conversions(plans, owners))

    def _conversions(
        self, plans: dict[str, PointPlan], owners: tuple[Owner, ...]
    ) -> Iterator[Conversion]:
        for owner in owners:
            convert = next((s for s in owner.stages if s.stage == "convert"), None)
            if convert is None or convert.solve.state != "done":
                continue
            if convert.execute.state == "skipped":
                continue
            plan = plans[owner.name]
            if plan.later:  # nobody knows the chunks before the jobs: they are what is counted
                yield Conversion(owner.name, self._gathered(owner.name, plan), plan.parts)
                continue
            total = self._chunks_in(plan.fileset)
            told = self._told(f"{owner.name}-convert")
            if convert.execute.state == "done":
                if total is not None:
                    yield Conversion(owner.name, total, total)
            elif told is not None and number_in(told, "total"):
                yield Conversion(
                    owner.name,
                    int(number_in(told, "done") or 0),
                    int(number_in(told, "total") or 0),
                    int(number_in(told, "events") or 0),
                    number_in(told, "events_per_s"),
                )
            elif total is not None:
                yield Conversion(owner.name, min(self._stored(owner.name), total), total)

    def _gathered(self, owner: str, plan: PointPlan) -> int:
        """Jobs of an owner's convert that have ended."""
        if (self.run / owner / "convert" / "record.json").exists():
            return plan.parts
        return sum(1 for _ in (self.run / owner / "convert" / "parts").glob("[!.]*.json"))

    def _work(self, name: str, output: str, moment: Moment, fault: str) -> Work:
        """`fault` is the name, without its ending, of its file in logs/errors."""
        flight: Flight | None = moment.flights.get(output)
        if (self.run / output).exists():
            return Work(name, "done")
        if flight is None:
            return Work(name, "error" if fault in moment.errors else "waiting")
        error = signature_of(self.run / ERRORS / f"{fault}.json")
        if error is not None and error[0] / 1e9 > flight.since:
            return Work(name, "error")
        state: StepState = "queued" if flight.job in moment.pending else "running"
        told = self._told(name) or {}
        done, total = (number_in(told, n) for n in ("done", "total"))
        return Work(
            name,
            state,
            flight.since,
            flight.job,
            None if done is None else int(done),
            None if total is None else int(total),
        )

    def _told(self, name: str) -> dict[str, object] | None:
        """What a step tells of its progress (pipeline.progress)."""
        return self.reader.json(self.run / PROGRESS / f"{name.replace('/', '-')}.json")

    def _chunks_in(self, fileset: str) -> int | None:
        """Chunks of a fileset; its file may be long, and is kept as this number."""
        path = self.run / "fileset" / f"{fileset}.json"
        signature = signature_of(path)
        if signature is None:
            return None
        known = self._totals.get(fileset)
        if known is None or known[0] != signature:
            chunks = (json_object(path) or {}).get("chunks")
            if not isinstance(chunks, list):
                return None
            known = self._totals[fileset] = (signature, len(chunks))
        return known[1]

    def _stored(self, owner: str) -> int:
        """Chunks that the store holds of an owner's solution (pipeline.stages.convert.store)."""
        path = self.run / owner / "convert" / "solution.py"
        signature = signature_of(path)
        if signature is None:
            return 0
        known = self._stores.get(path)
        if known is None or known[0] != signature:
            try:
                digest = sha256_file(path)  # a module of some kilobytes, not data
            except OSError:
                return 0
            known = self._stores[path] = (signature, digest[:16])
        folder = self.run / "chunks" / known[1]
        return sum(1 for p in folder.rglob("[!.]*.json")) if folder.is_dir() else 0
