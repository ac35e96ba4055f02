"""The program that runs on each node of a server: its address, its weights, its key, then vLLM."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from executors.serving.address import node_address
from executors.serving.cluster import own_room, run_cluster
from executors.serving.command import Place, environment, node_command, shown, uses_ray
from executors.serving.errors import ServingError
from executors.serving.folder import ServerFolder
from executors.serving.spec import Launch
from executors.serving.weights import prepare


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
    if weights.note:
        print(f"ladon: {weights.note}", flush=True)
    variables = environment(launch, folder, address, os.environ)
    # Here, and in no text before: the key goes from its file into this one process.
    variables["VLLM_API_KEY"] = folder.key_file.read_text(encoding="utf-8")
    if uses_ray(spec, site):
        name = f"ray-{os.environ.get('SLURM_JOB_ID') or place.meeting_port}-{rank}"
        with own_room(site, variables, name) as room:
            variables["RAY_TMPDIR"] = str(room)
            command = node_command(spec, site, weights.model, place, rank, room)
            print(f"ladon: starting {shown(command)}", flush=True)
            return run_cluster(command, variables, weights.lock)
    command = node_command(spec, site, weights.model, place, rank)
    print(f"ladon: starting {shown(command)}", flush=True)
    try:
        os.execvpe(command[0], command, variables)
    except OSError as error:
        raise ServingError(
            f"expected vLLM to start as {command[0]!r}, found {error.strerror}; set "
            "site.serve.venv to the environment that tools/vllm.sh made, or site.serve.image"
        ) from error


if __name__ == "__main__":
    sys.exit(main())
