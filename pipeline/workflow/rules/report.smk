def _verdicts(wildcards):
    return LAYOUT.verdicts(wildcards.point)


rule collect:
    input:
        verdicts=_verdicts,
    output:
        results="points/{point}/results.json",
    log:
        "logs/collect/{point}.log",
    message:
        "points/{wildcards.point}: collecting the results"
    shell:
        "exec python -m pipeline.steps.collect --point {wildcards.point:q} > {log:q} 2>&1"


rule report:
    input:
        results=LAYOUT.results(),
    output:
        html="report.html",
        summary="summary.json",
        table="summary.csv",
    log:
        "logs/report.log",
    message:
        "drawing the report"
    shell:
        "exec python -m pipeline.steps.report > {log:q} 2>&1"
