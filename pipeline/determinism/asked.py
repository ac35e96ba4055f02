"""What was asked of the model's server with model.deterministic, and what that is worth."""

from __future__ import annotations

from executors.serving import determinism
from executors.serving.spec import on_cpu
from pipeline.serve import serve_spec, site_spec
from pipeline.settings import Settings

NOT_ASKED = (
    "model.deterministic=false: a reply may depend on what else its server worked on; only "
    "recorded replies (`ladon replay`) are the same again."
)
FOREIGN = (
    "model.deterministic=true, but the server at model.base_url is not Ladon's: seeds are sent, "
    "nothing is set up there, and the same bits are not guaranteed."
)


def asked(settings: Settings) -> list[str]:
    """Sentences for people; empty where no server answers (scripts, recordings, the reference)."""
    model = settings.model
    if model.provider != "endpoint":
        return []
    if not model.deterministic:
        return [NOT_ASKED]
    if model.base_url:
        return [FOREIGN]
    spec, cpu = serve_spec(settings), on_cpu(serve_spec(settings), site_spec(settings))
    said = [f"model.deterministic=true: {determinism.promise(cpu)}; each request has its seed."]
    doubts = determinism.doubts(spec, cpu, experts=model.active_b is not None)
    return said + [f"Not guaranteed: {doubt}." for doubt in doubts]
