def _solve_inputs(wildcards):
    return LAYOUT.solve_inputs(wildcards.owner, wildcards.stage)


def _fileset(wildcards):
    return f"fileset/{LAYOUT.plan_of(wildcards.owner).fileset}.json"


def _upstream(wildcards):
    return LAYOUT.upstream_records(wildcards.owner, wildcards.stage)


def _reuse(wildcards):
    return LAYOUT.reuse_record(wildcards.owner, wildcards.stage)


def _threads(wildcards):
    return LAYOUT.threads(wildcards.owner, wildcards.stage)


def _reference_record(wildcards):
    plan = LAYOUT.point(wildcards.point)
    return f"reference/{plan.reference}/{wildcards.stage}/record.json"


rule solve:
    input:
        settings=ancient("{owner}/settings.json"),
        fileset=_fileset,
        upstream=_solve_inputs,
    output:
        solution="{owner}/{stage}/solution.py",
        trajectory="{owner}/{stage}/trajectory.jsonl",
        attempts="{owner}/{stage}/attempts.json",
    log:
        "logs/solve/{owner}/{stage}.log",
    message:
        "{wildcards.owner}: writing {wildcards.stage}"
    shell:
        "exec python -m pipeline.steps.solve --owner {wildcards.owner:q}"
        " --stage {wildcards.stage} > {log:q} 2>&1"


rule execute:
    input:
        settings=ancient("{owner}/settings.json"),
        solution="{owner}/{stage}/solution.py",
        fileset=_fileset,
        upstream=_upstream,
        reuse=_reuse,
    output:
        record="{owner}/{stage}/record.json",
    log:
        "logs/execute/{owner}/{stage}.log",
    threads: _threads
    message:
        "{wildcards.owner}: running {wildcards.stage}"
    shell:
        "exec python -m pipeline.steps.execute --owner {wildcards.owner:q}"
        " --stage {wildcards.stage} > {log:q} 2>&1"


rule judge:
    input:
        settings=ancient("points/{point}/settings.json"),
        record="points/{point}/{stage}/record.json",
        reference=_reference_record,
    output:
        verdict="points/{point}/{stage}/verdict.json",
    log:
        "logs/judge/{point}/{stage}.log",
    message:
        "points/{wildcards.point}: judging {wildcards.stage}"
    shell:
        "exec python -m pipeline.steps.judge --point {wildcards.point:q}"
        " --stage {wildcards.stage} > {log:q} 2>&1"
