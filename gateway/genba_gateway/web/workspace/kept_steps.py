"""The steps of builds, kept so that whoever asks again has only the new lines of the log read."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from genba_gateway.services.jobs import Jobs
from genba_gateway.web.workspace.steps import StepReader

MAX_KEPT: Final = 32
"""Builds, of which those asked for last are kept; of others the log is read anew."""


class KeptSteps:
    """Reads the logs of builds. Who asks must be allowed to see the build."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._readers: OrderedDict[str, StepReader] = OrderedDict()

    async def read(self, job_id: str) -> StepReader:
        """What the log of a build says so far."""
        reader = self._readers.setdefault(job_id, StepReader())
        self._readers.move_to_end(job_id)
        while len(self._readers) > MAX_KEPT:
            self._readers.popitem(last=False)
        async for lines in self._jobs.read_logs(job_id, after=reader.last_id):
            # Somebody else may have read the same lines meanwhile.
            reader.read(line for line in lines if line.id > reader.last_id)
        return reader
