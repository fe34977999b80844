"""Keeps two `terraform init`s from writing into the shared cache of providers at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from genba_gateway.provisioner.terraform_commands import JobCanceled


class InitLock:
    """A lock whose waiting ends with the job."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @property
    def is_held(self) -> bool:
        """Whether another job has to be waited for."""
        return self._lock.locked()

    @asynccontextmanager
    async def hold(self, cancel: asyncio.Event) -> AsyncGenerator[None]:
        """Hold the lock for the length of the block.

        Raises:
            JobCanceled: `cancel` was set first.
        """
        if not await self._acquire(cancel):
            raise JobCanceled("The job was canceled.")
        try:
            yield
        finally:
            self._lock.release()

    async def _acquire(self, cancel: asyncio.Event) -> bool:
        acquiring: asyncio.Task[bool] | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                acquiring = tasks.create_task(self._lock.acquire(), name="wait for terraform init")
                asked = tasks.create_task(cancel.wait(), name="cancel while waiting for terraform init")
                try:
                    await asyncio.wait((acquiring, asked), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    asked.cancel()
                    acquiring.cancel()
        except asyncio.CancelledError:
            # The group has waited for both: this job may have come to the lock before it heard of its end.
            if acquiring is not None and not acquiring.cancelled():
                self._lock.release()
            raise
        return not acquiring.cancelled()
