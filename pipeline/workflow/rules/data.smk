def _synthetic(wildcards):
    return LAYOUT.synthetic_records(wildcards.fileset)


rule synthesize:
    input:
        settings=ancient("fileset/{fileset}.settings.json"),
    output:
        record="fileset/{fileset}.synthetic/{sample}.json",
    log:
        "logs/synthesize/{fileset}-{sample}.log",
    message:
        "making synthetic sample {wildcards.sample}"
    shell:
        "exec python -m pipeline.steps.synthesize --settings {input.settings:q}"
        " --sample {wildcards.sample} --output {output.record:q} > {log:q} 2>&1"


rule fileset:
    input:
        settings=ancient("fileset/{fileset}.settings.json"),
        synthetic=_synthetic,
    output:
        fileset="fileset/{fileset}.json",
    log:
        "logs/fileset/{fileset}.log",
    message:
        "finding and verifying the files of the samples"
    shell:
        "exec python -m pipeline.steps.fileset --settings {input.settings:q}"
        " --output {output.fileset:q} --synthetic {input.synthetic:q} > {log:q} 2>&1"
