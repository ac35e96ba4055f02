"""The launches whose command lines and job scripts are kept as golden files."""

from __future__ import annotations

from executors.serving.spec import Launch, ServeSpec, SiteSpec

SITE = SiteSpec(
    scheduler="slurm",
    partition="gpu",
    account="physics",
    gres="gpu:a100",
    memory_gb_per_gpu=64.0,
    time="1-02:00:00",
    setup=("module load cuda",),
    venv="/sw/ladon/.venv-vllm",
    interface="hsn0",
    hub="/shared/huggingface",
    scratch="/local/$SLURM_JOB_ID",
)
IMAGE = SiteSpec(
    scheduler="slurm",
    constraint="gpu&hbm80g",
    qos="regular",
    account="m0000",
    exclusive=True,
    image="/sw/ladon/serve.sif",
    container_options=("--bind=/local",),
    multi_node="mp",
    sbatch_options=("--licenses=scratch",),
)
TESTBED = SiteSpec(
    scheduler="slurm",
    device="cpu",
    partition="gpu",
    cpus_per_gpu=2,
    memory_gb_per_gpu=4.0,
    time="01:00:00",
    venv="/sw/ladon/.venv-vllm",
)
REPOSITORY = "/home/jane doe/it's ladon"
PYTHON = f"{REPOSITORY}/.venv/bin/python"

ONE = ServeSpec(
    "gpt_oss_20b", "openai/gpt-oss-20b", "openai/gpt-oss-20b", revision="6cee5e81",
    reasoning_parser="openai_gptoss", context=131072,
)  # fmt: skip
FOUR = ServeSpec(
    "minimax_m2_5", "MiniMaxAI/MiniMax-M2.5", "MiniMaxAI/MiniMax-M2.5", revision="f710177d",
    gpus=4, tensor_parallel=4, reasoning_parser="minimax_m2", context=131072,
    args=("--max-model-len", "131072", "--enable-expert-parallel", "--trust-remote-code"),
)  # fmt: skip
SIXTEEN = ServeSpec(
    "deepseek_v3_2", "deepseek-ai/DeepSeek-V3.2", "deepseek-ai/DeepSeek-V3.2",
    gpus=16, tensor_parallel=8, nodes=2, reasoning_parser="deepseek_v3",
)  # fmt: skip
TINY = ServeSpec("memo", "/shared/models/memo", "ladon/memo", gpus=0, context=16384)
DENSE = ServeSpec(
    "devstral_small_2", "mistralai/Devstral-Small-2", "mistralai/Devstral-Small-2",
    revision="55c5b41e", context=65536, args=("--max-num-seqs", "32"), deterministic=True,
)  # fmt: skip

LAUNCHES = {
    "one_gpu": Launch(ONE, SITE, PYTHON, REPOSITORY, owner="hyy-opendata"),
    "four_gpus": Launch(FOUR, SITE, PYTHON, REPOSITORY),
    "two_nodes_ray": Launch(SIXTEEN, SITE, PYTHON, REPOSITORY),
    "two_nodes_mp": Launch(SIXTEEN, IMAGE, PYTHON, REPOSITORY),
    "deterministic": Launch(DENSE, SITE, PYTHON, REPOSITORY),
    "cpu": Launch(TINY, TESTBED, PYTHON, REPOSITORY),
}
