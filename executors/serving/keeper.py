"""The program that keeps one server: starts it, watches it, says how it is, and ends it.

    python -m executors.serving.keeper --folder FOLDER

It runs in the server's job (the job's shell becomes it) or, where there is no scheduler, by itself.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from executors.serving import metrics
from executors.serving.address import free_port, node_address
from executors.serving.command import Place, farewell, step_command, without_secrets
from executors.serving.errors import ServingError
from executors.serving.folder import ServerFolder, last_lines
from executors.serving.lease import holders
from executors.serving.power import PowerMeter
from executors.serving.probe import Probe, SilentServerError
from executors.serving.process import GRACE_S, ServerProcess
from executors.serving.record import ENDED, Endpoint, Status
from executors.serving.script import SIGNAL, drain_s
from executors.serving.spec import Launch, walltime_s

SILENT_LOOKS = 6
"""A server that lives and does not answer so many times in a row counts as dead."""
SEVERAL_GRACE_S = 60.0
"""Between SIGTERM and SIGKILL where srun and Ray have to end nodes one by one."""
MARGIN_S = 30.0
"""Seconds before the walltime at which a draining server is ended, whatever it does."""


class Keeper:
    """One server, from its job's start to its end; `run` is all that is called from outside."""

    def __init__(self, folder: ServerFolder) -> None:
        self.folder = folder
        self.launch = Launch.load(folder.launch)
        self.endpoint = Endpoint.load(folder.record)
        self.meter = PowerMeter.of(os.environ, self.launch.spec.gpus, self.launch.spec.nodes)
        self.signals: list[int] = []
        self.total = metrics.Reading()
        self.before = metrics.Reading()
        self.looked = self.held = time.time()
        self._wake, self._ring = os.pipe()

    def run(self) -> int:
        """Keep the server until it is to stop (0) or has died too often (1)."""
        self._listen()
        if self.endpoint.status in ENDED:
            print(f"ladon: nothing to serve: {self.endpoint.reason}", flush=True)
            return 0
        try:
            return self._keep()
        except Exception as error:  # a fault of ours too must end in the record
            self._end("FAILED", f"its keeper failed with {type(error).__name__}: {error}")
            if isinstance(error, ServingError | OSError):
                print(f"ladon: {error}", file=sys.stderr, flush=True)
                return 1
            raise
        finally:
            signal.set_wakeup_fd(-1)
            os.close(self._wake)
            os.close(self._ring)

    def _keep(self) -> int:
        now, site = time.time(), self.launch.site
        told = os.environ.get("SLURM_JOB_END_TIME", "")
        end = float(told) if told.isdigit() else now + walltime_s(site.time)
        self._save(
            self.endpoint.to(
                "LOADING",
                node=socket.gethostname(),
                job=os.environ.get("SLURM_JOB_ID") or f"local-{os.getpid()}",
                started=now,
                heartbeat=now,
                walltime_end=end if site.scheduler == "slurm" else None,
                energy_note=self.meter.note,
            )
        )
        for start in range(1, site.restarts + 2):
            place = self._place()
            self._save(self.endpoint.with_(base_url=place.base_url))
            command = step_command(self.launch, self.folder, place)
            variables = without_secrets(os.environ)
            grace_s = GRACE_S if self.launch.spec.nodes == 1 else SEVERAL_GRACE_S
            ending, log = farewell(self.launch.spec, self.endpoint.job), self.folder.log(start)
            with ServerProcess(command, variables, log, grace_s, ending) as process:
                over, why = self._serve(process, Probe(place.base_url, self.folder.key_file))
            if over:
                self._remove_weights()
                self._end("STOPPED", why)
                return 0
            why = f"{why}; its log ends: {last_lines(self.folder.log(start), 3)!r}"
            print(f"ladon: {why}", flush=True)
            if self.endpoint.status == "DRAINING":
                break  # its time is over in any case
            if start <= site.restarts:
                self._again(start, why)
        self._remove_weights()
        times = "once" if start == 1 else f"{start} times"
        self._end("FAILED", f"died {times}; the last time: {why}")
        return 1

    def _serve(self, process: ServerProcess, probe: Probe) -> tuple[bool, str]:
        """One start of vLLM to its end: whether it was to end, and why it did."""
        deadline = time.time() + self.launch.site.load_minutes * 60
        silent = 0
        while True:
            why = self._why_stop()  # first: what ends a job may have ended vLLM already
            if why is not None:
                return True, why
            code = process.exit_code()
            if code is not None:
                return False, f"vLLM ended with exit code {code}"
            loading = self.endpoint.status == "LOADING"
            if loading and time.time() > deadline:
                return False, f"not ready after {self.launch.site.load_minutes:g} minutes"
            if loading and probe.why_not_ready(self.launch.spec.served_name) is None:
                self._now_ready(probe)
            else:
                silent = self._look(probe, silent)
                if silent > SILENT_LOOKS:
                    return False, f"vLLM runs and did not answer {silent} times"
            self._pause(process)

    def _again(self, restarts: int, why: str) -> None:
        if self.endpoint.status == "READY":
            self._save(self.endpoint.to("LOADING", restarts=restarts, reason=why))
        else:
            self._save(self.endpoint.with_(restarts=restarts, reason=why))

    def _now_ready(self, probe: Probe) -> None:
        now = time.time()
        try:
            self.before = metrics.read(probe.metrics())  # the probe's own token is nobody's use
        except SilentServerError:
            self.before = metrics.Reading()
        self._save(self.endpoint.to("READY", ready=now, last_used=now, heartbeat=now, reason=None))
        print(f"ladon: ready at {self.endpoint.base_url}", flush=True)

    def _look(self, probe: Probe, silent: int) -> int:
        """Write down how the server is; the number of looks in a row that it did not answer."""
        now, loading = time.time(), self.endpoint.status == "LOADING"
        seconds = now - self.looked
        if loading and seconds < self.launch.site.poll_s:
            return 0
        reading = None
        if not loading:
            try:
                reading = metrics.read(probe.metrics())
            except SilentServerError:
                silent += 1
        users = holders(self.folder, self.launch.site.lease_s)
        self.held = now if users else self.held
        added = None if reading is None else reading.since(self.before)
        changes: dict[str, Any] = {}
        if reading is not None and added is not None:
            silent, self.before, self.total = 0, reading, self.total.plus(added)
            if reading.busy or added.requests:
                changes["last_used"] = now
        entry = metrics.line(
            now, seconds, self.endpoint.status, self.launch.spec.gpus, users,
            None if reading is None else self.total, added, self.meter.watts(seconds),
        )  # fmt: skip
        metrics.append(self.folder.metrics, entry)
        self.looked = now
        energy = {"energy_j": self.meter.energy_j, "energy_note": self.meter.note}
        self._save(self.endpoint.with_(heartbeat=now, metrics=entry, **energy, **changes))
        return silent

    def _why_stop(self) -> str | None:
        """Why the server is to stop now, in a sentence; None if it is to go on."""
        site, now, endpoint = self.launch.site, time.time(), self.endpoint
        on_disk = Endpoint.load(self.folder.record)
        if on_disk.status in ENDED:
            self.endpoint = on_disk
            return f"its record says {on_disk.status}: {on_disk.reason}"
        if self.folder.stop_file.exists():
            return self.folder.stop_file.read_text(encoding="utf-8").strip() or "was asked to"
        if signal.SIGTERM in self.signals or signal.SIGINT in self.signals:
            return "its job was ended (SIGTERM)"
        if endpoint.status == "DRAINING":
            if not self.before.busy:
                return "its walltime is near, and nothing is under way"
            late = endpoint.walltime_end is not None and now > endpoint.walltime_end - MARGIN_S
            return "its walltime is over; requests were under way" if late else None
        if self._drains():
            if endpoint.status != "READY":
                return "its walltime is near, before it was ready"
            self._save(endpoint.to("DRAINING", reason="its walltime is near"))
            return None
        if endpoint.owner and now - self.held > site.linger_minutes * 60:
            return f"nobody held it for {site.linger_minutes:g} minutes"
        used = endpoint.last_used
        if endpoint.status == "READY" and used and now - used > site.idle_minutes * 60:
            return f"no request for {site.idle_minutes:g} minutes"
        return None

    def _drains(self) -> bool:
        end = self.endpoint.walltime_end
        near = end is not None and time.time() > end - drain_s(self.launch)
        return near or int(getattr(signal, f"SIG{SIGNAL}")) in self.signals

    def _place(self) -> Place:
        """Where the next start listens: another port each time, in case one was taken."""
        spec, site = self.launch.spec, self.launch.site
        local = site.scheduler == "none" and spec.nodes == 1
        address = node_address(site.interface, local)
        port = free_port(address, site.ports)
        meeting = free_port(address, site.ports, (port,)) if spec.nodes > 1 else 0
        return Place(address, port, meeting, site.bind_all)

    def _remove_weights(self) -> None:
        """Take the copies off the nodes' disks, where the site does not keep them."""
        spec, site = self.launch.spec, self.launch.site
        if site.scratch is None or site.keep_weights:
            return
        everywhere = ["srun", f"--nodes={spec.nodes}", "--ntasks-per-node=1"]
        program = [self.launch.python, "-m", "executors.serving.weights"]
        command = [*(everywhere if spec.nodes > 1 else []), *program]
        subprocess.run([*command, "--folder", str(self.folder.path)], check=False, timeout=600)

    def _end(self, status: Status, reason: str) -> None:
        """The last word of the record, unless somebody else has had it."""
        print(f"ladon: {status}: {reason}", flush=True)
        now, site = time.time(), self.launch.site
        users, gpus = holders(self.folder, site.lease_s), self.launch.spec.gpus
        last = metrics.line(now, now - self.looked, status, gpus, users, None, None, None)
        metrics.append(self.folder.metrics, last)  # so that the lines cover all of its time
        if Endpoint.load(self.folder.record).status not in ENDED:
            self.endpoint.to(status, reason=reason).save(self.folder.record)

    def _save(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        if Endpoint.load(self.folder.record).status not in ENDED:
            endpoint.save(self.folder.record)

    def _listen(self) -> None:
        def note(number: int, _frame: FrameType | None) -> None:
            self.signals.append(number)

        os.set_blocking(self._ring, False)
        signal.set_wakeup_fd(self._ring)
        for number in (signal.SIGTERM, signal.SIGINT, getattr(signal, f"SIG{SIGNAL}")):
            signal.signal(number, note)

    def _pause(self, process: ServerProcess) -> None:
        """Wait until the next look; a signal, a wish to stop or the server's death cut it short."""
        poll_s = self.launch.site.poll_s
        wait_s = min(poll_s, 1.0) if self.endpoint.status == "LOADING" else poll_s
        deadline = time.monotonic() + wait_s
        while (left := deadline - time.monotonic()) > 0 and process.exit_code() is None:
            if select.select([self._wake], [], [], min(left, 0.5))[0]:
                os.read(self._wake, 64)
                return
            if self.folder.stop_file.exists():
                return


def main() -> int:
    """Keep the server of --folder; the exit code is 1 if it failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="of the server")
    return Keeper(ServerFolder(parser.parse_args().folder.resolve())).run()


if __name__ == "__main__":
    sys.exit(main())
