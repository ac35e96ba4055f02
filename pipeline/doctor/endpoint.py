"""The model's endpoint: whether it answers and lists the model; else the servers there are."""

from __future__ import annotations

import httpx2

from agents.completion import read_models
from agents.errors import ApiKeyError, EndpointError
from agents.secret import Secret, read_api_key
from agents.wire import MAX_REPLY_BYTES, http_client
from executors.serving.errors import ServingError
from executors.serving.record import COMING, Endpoint
from pipeline.doctor.finding import Finding
from pipeline.doctor.needs import Needs
from pipeline.serve import pool_of
from pipeline.settings import Settings

ANSWER_S = 10.0


def look(settings: Settings, needs: Needs) -> list[Finding]:
    """The named endpoint, or the servers that runs of this folder share."""
    model = settings.model
    if model.provider == "endpoint" and model.base_url:
        return [asked(settings, needs.steps)]
    said = f"model={model.name} needs none"
    if needs.served:
        said = f"a server for {model.repository} is started by the run, or by ladon serve"
    return [Finding("endpoint", "endpoint", "ok", said), *servers(settings)]


def asked(settings: Settings, required: bool) -> Finding:
    """What /v1/models of model.base_url answers, with the key of the settings.

    It is required where steps run: a login node may not reach what nodes do.
    """
    model = settings.model

    def missing(said: str, next_step: str) -> Finding:
        step = next_step if required else f"{next_step}; ladon doctor --nodes asks from a node"
        return Finding("endpoint", "endpoint", "missing", said, step, required)

    try:
        secret = read_api_key(model.api_key_file, model.api_key_env)
        served = _models(str(model.base_url), secret)
    except ApiKeyError as error:
        return missing(str(error), "write the key into that file with mode 0600")
    except _NoAnswerError as error:
        return missing(str(error), "start the server, or correct model.base_url")
    if model.repository not in served:
        names = ", ".join(map(repr, served[:10])) or "none"
        return missing(
            f"expected {model.base_url} to list the model {model.repository!r}, found {names}",
            "model.repository=<one of these>, or model.base_url of where it is served",
        )
    return Finding(
        "endpoint",
        "endpoint",
        "ok",
        f"{model.base_url} answers and lists {model.repository}",
        required=required,
    )


class _NoAnswerError(OSError):
    """No list of models came back; the message holds no key."""


def _models(base_url: str, secret: Secret | None) -> list[str]:
    def clean(text: str) -> str:
        return secret.removed_from(text) if secret is not None else text

    try:
        with http_client(secret, ANSWER_S, MAX_REPLY_BYTES) as client:
            response = client.get(f"{base_url.rstrip('/')}/models")
            text = clean(response.text)
        if response.status_code != 200:
            hint = "; is the key right?" if response.status_code in (401, 403) else ""
            raise _NoAnswerError(
                f"expected status 200 from {base_url}/models, found {response.status_code}{hint}"
            )
        return read_models(text)
    except (httpx2.HTTPError, httpx2.InvalidURL, EndpointError) as error:
        raise _NoAnswerError(
            f"expected a list of models from {base_url}/models, found "
            f"{type(error).__name__}: {clean(str(error))}"
        ) from None


def servers(settings: Settings) -> list[Finding]:
    """The servers beside the runs, with their status; those that have ended are counted only."""
    try:
        found = [endpoint for _, endpoint in pool_of(settings).servers()]
    except (OSError, ServingError) as error:
        return [
            Finding(
                "servers",
                "endpoint",
                "warning",
                f"expected records of servers in {settings.run.outputs}/servers, found: {error}",
                "ladon serve --list",
            )
        ]
    living = [endpoint for endpoint in found if endpoint.status in COMING]
    if not living:
        said = f"none is there or coming ({len(found)} have ended)"
        return [Finding("servers", "endpoint", "ok", said)]
    return [_server(endpoint) for endpoint in living]


def _server(endpoint: Endpoint) -> Finding:
    place = endpoint.base_url or f"job {endpoint.job}"
    said = f"{endpoint.status}, {endpoint.served_name} at {place}"
    return Finding(f"server {endpoint.server}", "endpoint", "ok", said)
