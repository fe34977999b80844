"""A gateway reduced to one build, to be killed in its middle: WORK_DIR JOB_ID ARCHIVE."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from genba_gateway.domain.provisioning import BuildRequest, Transition
from genba_gateway.provisioner.terraform import TerraformProvisioner
from genba_gateway.provisioner.terraform_binary import find_terraform
from tests.support.provisioning import NoProvider, RecordedLog


async def run(work_dir: Path, job_id: str, archive: Path) -> None:
    """Build until killed."""
    binary = await find_terraform(None, work_dir / "bin", print)
    provisioner = TerraformProvisioner(binary=binary, work_dir=work_dir, provider=NoProvider(), access_url="http://x")
    request = BuildRequest(job_id, "v1", await asyncio.to_thread(archive.read_bytes), Transition.START)
    await provisioner.build(request, RecordedLog(), asyncio.Event())


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])))
