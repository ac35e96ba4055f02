def _verdicts(wildcards):
    return LAYOUT.verdicts(wildcards.point)


rule collect:
    input:
        verdicts=_verdicts,
    output:
        results="points/{point}/results.json",
    log:
        "logs/collect/{point}.log",
    localrule: True
    params:
        python=LAYOUT.start("collect"),
    message:
        "points/{wildcards.point}: collecting the results"
    shell:
        "exec {params.python} -m pipeline.steps.collect --point {wildcards.point:q} > {log:q} 2>&1"


rule report:
    input:
        results=LAYOUT.results(),
    output:
        html="report.html",
        summary="summary.json",
        table="summary.csv",
    log:
        "logs/report.log",
    params:
        python=LAYOUT.start("report"),
    message:
        "drawing the report"
    shell:
        "exec {params.python} -m pipeline.steps.report > {log:q} 2>&1"
