"""The description of a model: its name, where it is served, and how it is sampled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from agents.errors import ModelSpecError


@dataclass(frozen=True)
class ModelSpec:
    """Which model, where it is served, and how it is sampled."""

    name: str
    base_url: str
    """Up to and with /v1; no user, password or query."""
    revision: str | None = None
    api_key_file: str | None = None
    api_key_env: str | None = None
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 4096
    seed: int = 0
    """Seed of the point; each call's own seed follows from it (`agents.chat.call_seed`)."""
    stop: tuple[str, ...] = ()
    response_format: Literal["json_schema", "json_object", "none"] = "json_schema"
    """How the endpoint can be held to JSON; what comes back is validated in any case."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further members of the request, e.g. top_k or chat_template_kwargs of vLLM."""
    timeout_s: float = 600.0
    """Seconds for one attempt; a reply that is not streamed is silent until it is complete."""
    max_retries: int = 5
    concurrency: int = 8
    """Requests under way at a time, over all threads (and processes that share a slot folder)."""

    def __post_init__(self) -> None:
        try:
            address = urlsplit(self.base_url)
            named = address.scheme in ("http", "https") and bool(address.hostname)
            secret = bool(address.username or address.password or address.query)
        except ValueError:
            named, secret = False, False
        if secret:
            raise ModelSpecError(
                f"expected no credentials in the base_url of {self.name!r}, found some (not "
                "shown); put the key in a file of mode 0600 and name it with model.api_key_file"
            )
        if not named:
            raise ModelSpecError(
                "expected an address like http://host:8000/v1 for the model's base_url, found "
                f"{self.base_url.rpartition('@')[2]!r}"
            )
        if self.api_key_file is not None and self.api_key_env is not None:
            raise ModelSpecError(
                "expected one place for the API key, found both the file "
                f"{self.api_key_file!r} and the variable {self.api_key_env!r}; name one"
            )
        for name in ("max_tokens", "concurrency", "timeout_s"):
            if getattr(self, name) <= 0:
                raise ModelSpecError(
                    f"expected {name} of {self.name!r} above zero, found {getattr(self, name)!r}"
                )
        if self.max_retries < 0:
            raise ModelSpecError(
                f"expected max_retries of {self.name!r} from zero up, found {self.max_retries!r}"
            )
        ours = sorted({"messages", "model", "response_format", "seed", "stream"} & set(self.extra))
        if ours:
            raise ModelSpecError(
                f"expected further members of the request in extra of {self.name!r}, found {ours}, "
                "which the client sets itself; remove them"
            )

    @property
    def sampling(self) -> dict[str, Any]:
        """The sampling parameters as they are sent, but the seed of each call."""
        parameters = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            **self.extra,
        }
        return {**parameters, "stop": list(self.stop)} if self.stop else parameters
