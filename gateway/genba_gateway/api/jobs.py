"""Jobs inside other answers, and the logs of jobs as the streams of contract 2.4."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from quart import Response, request, websocket

from genba_gateway.api.answers import JSON_TYPE
from genba_gateway.api.paging import MAX_NUMBER_DIGITS, read_number
from genba_gateway.api.streams import send_messages
from genba_gateway.domain.jobs import Job, StoredJobLog
from genba_gateway.errors import BadRequest, FieldProblem, UpgradeRequired
from genba_gateway.services.jobs import Jobs
from genba_wire.api import jobs as messages
from genba_wire.api.message import encode_message


def job_message(job: Job, metadata: messages.JobMetadata) -> messages.ProvisionerJob:
    """A job as JSON."""
    return messages.ProvisionerJob(
        id=job.id,
        created_at=job.created_at,
        started_at=job.started_at,
        completed_at=job.completed_at,
        canceled_at=job.canceled_at,
        error=job.error,
        error_code=job.error_code,
        status=job.status.value,
        worker_id=job.worker_id,
        file_id=job.file_id,
        tags=dict(job.tags),
        queue_position=job.queue_position,
        queue_size=job.queue_size,
        organization_id=job.organization_id,
        input=messages.JobInput(
            template_version_id=job.input.get("template_version_id", ""),
            workspace_build_id=job.input.get("workspace_build_id", ""),
        ),
        type=job.type.value,
        metadata=metadata,
    )


def job_log_message(line: StoredJobLog) -> messages.JobLog:
    """A line of a job's log as JSON."""
    return messages.JobLog(
        id=line.id,
        created_at=line.created_at,
        log_source=line.source,
        log_level=line.level,
        stage=line.stage,
        output=line.output,
    )


async def answer_logs(jobs: Jobs, job_id: str) -> Response:
    """The plain form: an array. `follow` needs a websocket."""
    if "follow" in request.args:
        raise UpgradeRequired("Following a log needs a websocket: leave `follow` out, or upgrade the connection.")
    pages = jobs.read_logs(job_id, after=read_number("after") or 0, before=read_number("before"))

    async def write() -> AsyncGenerator[bytes]:
        before = b"["
        async for lines in pages:
            yield before + b",".join(encode_message(job_log_message(line)) for line in lines)
            before = b","
        yield b"[]\n" if before == b"[" else b"]\n"

    return Response(write(), content_type=JSON_TYPE)


async def follow_logs(jobs: Jobs, job_id: str) -> None:
    """The websocket form: one object a message, closed normally when the job has ended and all was sent."""
    text = websocket.args.get("after") or "0"
    if not text.isascii() or not text.isdigit() or len(text) > MAX_NUMBER_DIGITS:
        raise BadRequest("Query parameter 'after' must be a number.", validations=[FieldProblem("after", "is wrong")])

    async def lines() -> AsyncGenerator[str]:
        async for line in jobs.follow_logs(job_id, after=int(text)):
            yield encode_message(job_log_message(line)).decode()

    await send_messages(lines())
