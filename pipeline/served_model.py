"""A model whose servers Ladon starts itself: each call finds one that is ready."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agents.chat import Call, Message, Reply
from agents.errors import AuthenticationError, EndpointError, WrongModelError
from agents.model import EndpointModel
from executors.serving.client import Held, acquire
from executors.serving.pool import Pool
from pipeline.models import SLOTS, spec_of
from pipeline.serve import NOWHERE, launch_of
from pipeline.settings import Settings


class ServedModel:
    """A ChatModel behind servers that come and go: each call finds one that is ready.

    A server that drains is left, one that died under a call is replaced and the call made again,
    as often as the site restarts servers; what was said is not lost.
    """

    def __init__(
        self,
        settings: Settings,
        pool: Pool,
        user: str,
        since: float,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`user` is point/stage, `since` when the run began (seconds since 1970)."""
        self.settings, self.pool, self.since, self.say = settings, pool, since, say
        self.user = f"{settings.run.name}/{user}"
        self.launch = launch_of(settings, settings.run.name)
        self._held: Held | None = None
        self._model: EndpointModel | None = None

    @property
    def identity(self) -> Mapping[str, Any]:
        """Name, revision and sampling; which server answers is no part of it."""
        return self._client(NOWHERE, None).identity

    def complete(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        seed: int,
        call: Call | None = None,
    ) -> Reply:
        """The reply to `messages`; raises what EndpointModel and `acquire` raise."""
        left = self.launch.site.restarts
        while True:
            model, held = self._reach()
            try:
                return model.complete(messages, schema=schema, seed=seed, call=call)
            except (EndpointError, WrongModelError, AuthenticationError) as error:
                if left == 0 or held.is_ready(doubted=True):
                    raise
                left -= 1
                self.say(f"the server did not answer ({error}); looking for another")

    def close(self) -> None:
        """Give the server up; it stops by itself if nobody else needs it."""
        if self._model is not None:
            self._model.close()
        if self._held is not None:
            self._held.release()
        self._model = self._held = None

    def _reach(self) -> tuple[EndpointModel, Held]:
        if self._held is not None and self._model is not None and self._held.is_ready():
            return self._model, self._held
        self.close()
        held = acquire(self.pool, self.launch, self.user, self.since, self.say)
        self._held, self._model = held, self._client(held.base_url, held.api_key_file)
        return self._model, held

    def _client(self, base_url: str, key_file: str | None) -> EndpointModel:
        model = replace(
            self.settings.model, base_url=base_url, api_key_file=key_file, api_key_env=None
        )
        return EndpointModel(spec_of(model, self.settings.seed), slot_folder=Path(SLOTS))
