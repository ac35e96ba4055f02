def _synthetic(wildcards):
    return LAYOUT.synthetic_records(wildcards.fileset)


def _synthesis_threads(wildcards):
    return LAYOUT.of_fileset(wildcards.fileset).workers


def _cut(wildcards):
    return LAYOUT.part_options(wildcards.fileset)


rule synthesize:
    input:
        settings=ancient("fileset/{fileset}.settings.json"),
    output:
        records="fileset/{fileset}.synthetic.json",
    log:
        "logs/synthesize/{fileset}.log",
    threads: _synthesis_threads
    resources:
        cpu=_synthesis_threads,
    params:
        python=LAYOUT.start("synthesize"),
    message:
        "making the synthetic samples"
    shell:
        "exec {params.python} -m pipeline.steps.synthesize --settings {input.settings:q}"
        " --workers {threads} --output {output.records:q} > {log:q} 2>&1"


rule fileset:
    input:
        settings=ancient("fileset/{fileset}.settings.json"),
        synthetic=_synthetic,
    output:
        fileset="fileset/{fileset}.json",
    log:
        "logs/fileset/{fileset}.log",
    wildcard_constraints:
        fileset=LAYOUT.uncut(),
    params:
        python=LAYOUT.start("fileset"),
    message:
        "finding and verifying the files of the samples"
    shell:
        "exec {params.python} -m pipeline.steps.fileset --settings {input.settings:q}"
        " --output {output.fileset:q} --synthetic {input.synthetic:q} > {log:q} 2>&1"


rule fileset_parts:
    input:
        settings=ancient("fileset/{fileset}.settings.json"),
        synthetic=_synthetic,
    output:
        fileset="fileset/{fileset}.json",
        parts="fileset/{fileset}.parts.json",
    log:
        "logs/fileset/{fileset}.log",
    wildcard_constraints:
        fileset=LAYOUT.cut(),
    params:
        python=LAYOUT.start("fileset"),
        cut=_cut,
    message:
        "finding the files of the samples, and dealing them out to jobs"
    shell:
        "exec {params.python} -m pipeline.steps.fileset --settings {input.settings:q} {params.cut}"
        " --output {output.fileset:q} --synthetic {input.synthetic:q} > {log:q} 2>&1"
