"""The program that runs on each node of a server: its address, its weights, its key, then vLLM."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType

from executors.serving.address import node_address
from executors.serving.command import Place, environment, node_command, shown, uses_ray
from executors.serving.errors import ServingError
from executors.serving.folder import ServerFolder
from executors.serving.spec import Launch
from executors.serving.weights import prepare

RAY_END_S = 30.0


def main() -> int:
    """Become vLLM (or run it under Ray); exit code 1 and a sentence if this node cannot."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="of the server")
    parser.add_argument("--address", required=True, help="of the first node")
    parser.add_argument("--port", type=int, required=True, help="of the server")
    parser.add_argument("--meeting-port", type=int, default=0, help="where the nodes meet")
    given = parser.parse_args()
    folder = ServerFolder(given.folder)
    launch = Launch.load(folder.launch)
    place = Place(given.address, given.port, given.meeting_port, launch.site.bind_all)
    try:
        return run(launch, folder, place, int(os.environ.get("SLURM_PROCID", "0")))
    except ServingError as error:
        print(f"ladon: {error}", file=sys.stderr, flush=True)
        return 1


def run(launch: Launch, folder: ServerFolder, place: Place, rank: int) -> int:
    """Start what belongs on node number `rank`; comes back only where Ray runs it."""
    spec, site = launch.spec, launch.site
    rank = rank if spec.nodes > 1 else 0
    address = node_address(site.interface) if spec.nodes > 1 else place.address
    weights = prepare(spec, site)
    command = node_command(spec, site, weights.model, place, rank)
    variables = environment(launch, folder, address, os.environ)
    for line in filter(None, (weights.note, f"starting {shown(command)}")):
        print(f"ladon: {line}", flush=True)
    # Here, and in no text before: the key goes from its file into this one process.
    variables["VLLM_API_KEY"] = folder.key_file.read_text(encoding="utf-8")
    if uses_ray(spec, site):
        return _under_ray(command, variables, weights.lock)
    try:
        os.execvpe(command[0], command, variables)
    except OSError as error:
        raise ServingError(
            f"expected vLLM to start as {command[0]!r}, found {error.strerror}; set "
            "site.serve.venv to the environment that tools/vllm.sh made, or site.serve.image"
        ) from error


def _under_ray(command: list[str], variables: dict[str, str], lock: int | None) -> int:
    """Run Ray and what it runs, and leave none of it behind; the exit code.

    `ray symmetric-run` stops its cluster after an interrupt, not after SIGTERM; and a cluster that
    a signal left behind is stopped here. `ray stop` ends all of a node's: nodes are exclusive.
    """
    child = subprocess.Popen(
        command,
        env=variables,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=() if lock is None else (lock,),
    )

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        os.killpg(child.pid, signal.SIGINT)

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)
    code = child.wait()
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    stop = [*command[: command.index("symmetric-run")], "stop", "--force"]
    subprocess.run(stop, env=variables, check=False, timeout=RAY_END_S)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
