"""A STAND-IN for vLLM on several nodes of a real Ray cluster: no model, but Ray as vLLM uses it.

It takes vLLM's arguments, joins the cluster that it is run in, and starts one actor on each GPU (a
fake one, in tests) that its parallel sizes ask for, in a placement group as vLLM does. It answers
(stand_in.py) only when these actors are on as many hosts as the job has nodes. What a completion
says comes from the actors at that moment: their hosts, and the folder of Ray on each.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
from typing import Any

import ray
import stand_in
from ray.util.placement_group import placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

WITHIN_S = 60.0


class Worker:
    """What vLLM's worker is to Ray: an actor that holds one GPU."""

    def where(self) -> dict[str, Any]:
        return {
            "host": socket.gethostname(),
            "address": ray.util.get_node_ip_address(),
            "told_address": os.environ["VLLM_HOST_IP"],
            "gpus": len(ray.get_gpu_ids()),
            "room": os.environ["RAY_TMPDIR"],
            "session": os.listdir(os.path.join(os.environ["RAY_TMPDIR"], "ray")),
        }


def world_size() -> int:
    """GPUs that vLLM's arguments ask for; AssertionError if they do not ask for Ray."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tensor-parallel-size", type=int, default=1)
    parser.add_argument("--pipeline-parallel-size", type=int, default=1)
    parser.add_argument("--distributed-executor-backend")
    given, _ = parser.parse_known_args()
    assert given.distributed_executor_backend == "ray", given
    return int(given.tensor_parallel_size * given.pipeline_parallel_size)


def main() -> None:
    ray.init(address="auto", log_to_driver=False)
    nodes = [node for node in ray.nodes() if node["Alive"]]
    hosts = sorted(node["NodeManagerHostname"] for node in nodes)
    gpus = {node["NodeManagerHostname"]: node["Resources"].get("GPU", 0) for node in nodes}
    size = world_size()
    print(f"Ray sees {len(nodes)} nodes: {gpus}", flush=True)
    assert len(set(hosts)) == len(hosts) == int(os.environ["SLURM_JOB_NUM_NODES"]), hosts
    assert sum(gpus.values()) == size, (gpus, size)

    group = placement_group([{"GPU": 1.0}] * size, strategy="PACK")
    ray.get(group.ready(), timeout=WITHIN_S)
    remote = ray.remote(Worker)
    workers = [
        remote.options(
            num_cpus=0,
            num_gpus=1,
            scheduling_strategy=PlacementGroupSchedulingStrategy(group, bundle),
        ).remote()
        for bundle in range(size)
    ]

    def everywhere() -> str:
        told = ray.get([worker.where.remote() for worker in workers], timeout=WITHIN_S)
        return json.dumps(sorted(told, key=lambda one: str(one["host"])))

    assert sorted({one["host"] for one in json.loads(everywhere())}) == hosts
    stand_in.Answers.says = staticmethod(everywhere)
    stand_in.main()


if __name__ == "__main__":
    main()
