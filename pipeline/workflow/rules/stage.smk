def _solve_inputs(wildcards):
    return LAYOUT.solve_inputs(wildcards.owner, wildcards.stage)


def _fileset(wildcards):
    return f"fileset/{LAYOUT.plan_of(wildcards.owner).fileset}.json"


def _fileset_parts(wildcards):
    return f"fileset/{LAYOUT.plan_of(wildcards.owner).fileset}.parts.json"


def _part_records(wildcards):
    return LAYOUT.part_records(wildcards.owner)


def _upstream(wildcards):
    return LAYOUT.upstream_records(wildcards.owner, wildcards.stage)


def _reuse(wildcards):
    return LAYOUT.reuse_record(wildcards.owner, wildcards.stage)


def _convert_reuse(wildcards):
    return LAYOUT.reuse_record(wildcards.owner, "convert")


def _threads(wildcards):
    return LAYOUT.threads(wildcards.owner)


def _cpu(wildcards, threads):
    return threads


def _solve_cpu(wildcards):
    return LAYOUT.solve_cores(wildcards.owner)


def _reference_record(wildcards):
    plan = LAYOUT.point(wildcards.point)
    return f"reference/{plan.reference}/{wildcards.stage}/record.json"


rule adopt:
    input:
        settings=ancient("{owner}/settings.json"),
    output:
        solution="{owner}/{stage}/solution.py",
        trajectory="{owner}/{stage}/trajectory.jsonl",
        attempts="{owner}/{stage}/attempts.json",
    log:
        "logs/solve/{owner}/{stage}.log",
    wildcard_constraints:
        owner=LAYOUT.adopting(),
    localrule: True
    params:
        python=LAYOUT.start("adopt"),
    message:
        "{wildcards.owner}: taking our own {wildcards.stage}"
    shell:
        "exec {params.python} -m pipeline.steps.adopt --owner {wildcards.owner:q}"
        " --stage {wildcards.stage} > {log:q} 2>&1"


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
    wildcard_constraints:
        owner=LAYOUT.asking(),
    resources:
        **LAYOUT.dialogues(),
        cpu=_solve_cpu,
    params:
        python=LAYOUT.start("solve"),
    message:
        "{wildcards.owner}: writing {wildcards.stage}"
    shell:
        "exec {params.python} -m pipeline.steps.solve --owner {wildcards.owner:q}"
        " --stage {wildcards.stage} > {log:q} 2>&1"


rule convert:
    input:
        settings=ancient("{owner}/settings.json"),
        solution="{owner}/convert/solution.py",
        fileset=_fileset,
        reuse=_convert_reuse,
    output:
        record="{owner}/convert/record.json",
    log:
        "logs/execute/{owner}/convert.log",
    wildcard_constraints:
        owner=LAYOUT.whole(),
    threads: _threads
    resources:
        cpu=_cpu,
    params:
        python=LAYOUT.start("convert"),
    message:
        "{wildcards.owner}: running convert"
    shell:
        "exec {params.python} -m pipeline.steps.execute --owner {wildcards.owner:q}"
        " --stage convert > {log:q} 2>&1"


rule convert_part:
    input:
        settings=ancient("{owner}/settings.json"),
        solution="{owner}/convert/solution.py",
        parts=_fileset_parts,
    output:
        record="{owner}/convert/parts/{part}.json",
    log:
        "logs/execute/{owner}/convert/{part}.log",
    wildcard_constraints:
        owner=LAYOUT.in_parts(),
        part=r"[0-9]+",
    threads: _threads
    resources:
        cpu=_cpu,
    params:
        python=LAYOUT.start("convert_part"),
    message:
        "{wildcards.owner}: running convert, part {wildcards.part}"
    shell:
        "exec {params.python} -m pipeline.steps.convert_part --owner {wildcards.owner:q}"
        " --part {wildcards.part} > {log:q} 2>&1"


rule gather:
    input:
        settings=ancient("{owner}/settings.json"),
        solution="{owner}/convert/solution.py",
        fileset=_fileset,
        parts=_part_records,
        reuse=_convert_reuse,
    output:
        record="{owner}/convert/record.json",
    log:
        "logs/execute/{owner}/convert.log",
    wildcard_constraints:
        owner=LAYOUT.in_parts(),
    resources:
        cpu=_cpu,
    params:
        python=LAYOUT.start("gather"),
    message:
        "{wildcards.owner}: putting the parts of convert together"
    shell:
        "exec {params.python} -m pipeline.steps.execute --owner {wildcards.owner:q}"
        " --stage convert > {log:q} 2>&1"


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
    wildcard_constraints:
        stage=r"(?!convert)[a-z]+",
    resources:
        cpu=_cpu,
    params:
        python=LAYOUT.start("execute"),
    message:
        "{wildcards.owner}: running {wildcards.stage}"
    shell:
        "exec {params.python} -m pipeline.steps.execute --owner {wildcards.owner:q}"
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
    resources:
        cpu=_cpu,
    params:
        python=LAYOUT.start("judge"),
    message:
        "points/{wildcards.point}: judging {wildcards.stage}"
    shell:
        "exec {params.python} -m pipeline.steps.judge --point {wildcards.point:q}"
        " --stage {wildcards.stage} > {log:q} 2>&1"
