"""What the providers know about the build that they serve."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ProviderContext:
    """One build's inputs: what Coder passes in Terraform's environment, kept out of it here.

    `access_url` is what agents use as the gateway's URL. `environment` has the values under the names of
    contract 4.5 (`CODER_WORKSPACE_NAME`, `CODER_PARAMETER_<sha256>`, `CODER_AGENT_SCRIPT_linux_amd64` and so on);
    it holds secrets, so it isn't shown. `on_agent_token` is told each agent's id and token as soon as they are made,
    so that an agent may connect before Terraform has written its state.
    """

    job_id: str
    access_url: str
    environment: Mapping[str, str] = field(repr=False)
    on_agent_token: Callable[[str, str], None] | None = field(default=None, repr=False)


class CancelNotice:
    """Terraform's word that the user cancelled (StopProvider): who waits for something slow hurries.

    Beginning a new Terraform command takes it back.
    """

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def is_given(self) -> bool:
        """Say whether the user cancelled."""
        return self._event.is_set()

    def give(self) -> None:
        """Tell all who wait."""
        self._event.set()

    def take_back(self) -> None:
        """Forget it."""
        self._event.clear()

    async def wait(self) -> None:
        """Return once the user cancelled."""
        await self._event.wait()


@dataclass(slots=True)
class Session:
    """What the resources of one provider get with every call: the build's inputs and the provider block."""

    context: ProviderContext
    cancel: CancelNotice = field(default_factory=CancelNotice)
    configured_url: str = ""

    @property
    def url(self) -> str:
        """The gateway's URL for agents: the provider block's, else the environment's, else the build's."""
        return self.configured_url or self.variable("CODER_AGENT_URL") or self.context.access_url

    def variable(self, name: str) -> str:
        """Read one input, "" when it is not set."""
        return self.context.environment.get(name, "")
