"""What does not get through besides requests, in sentences."""

from __future__ import annotations

from genba_ide_bridge.diagnosis.findings import FailureKind, Findings
from genba_ide_bridge.diagnosis.judging import Problem


def judge_passage(found: Findings) -> list[Problem]:
    """Say what is wrong with what `probe_passage` looked at. Sessions do without it, so nothing is an error."""
    return [
        problem
        for problem in (_judge_stream(found), _judge_upload(found), _judge_silence(found))
        if problem is not None
    ]


def _judge_stream(found: Findings) -> Problem | None:
    failure = found.stream
    if failure is None:
        return None
    match failure.kind:
        case FailureKind.HELD_BACK:
            by = f" ({failure.detail} compression)" if failure.detail else ""
            return Problem(
                f"Something before {found.url} holds answers back until they are whole{by}: logs and states of"
                " workspaces arrive late.",
                "Switch its buffering off: nginx does so by itself unless `proxy_ignore_headers X-Accel-Buffering` is"
                " set; compression has to leave text/event-stream alone.",
                is_error=False,
            )
        case FailureKind.ALTERED:
            return Problem(
                f"Something before {found.url} changes what the gateway answers.",
                "Have it pass bodies on as they are: in nginx look for `sub_filter`; firewalls that read TLS can exempt"
                " a name.",
                is_error=False,
            )
        case _:
            said = f" ({failure.detail})" if failure.detail else ""
            return Problem(
                f"{found.url} breaks streamed answers off{said}.",
                "Look at the time-outs of what stands before the gateway.",
                is_error=False,
            )


def _judge_upload(found: Findings) -> Problem | None:
    if found.upload is None:
        return None
    return Problem(
        f"A proxy before {found.url} refuses bodies above 1 MiB (413): larger templates can't be pushed.",
        "Raise its limit: in nginx `client_max_body_size 101m`.",
        is_error=False,
    )


def _judge_silence(found: Findings) -> Problem | None:
    failure = found.silence
    if failure is None:
        return None
    span = f" after {failure.detail}" if failure.kind is FailureKind.CUT_WHEN_SILENT else ""
    return Problem(
        f"Something before {found.url} ends connections in which nothing is said{span}: sessions are dialled again and"
        " again.",
        "Raise its time-out above 15 s, best to an hour: in nginx `proxy_read_timeout` and `proxy_send_timeout`, in"
        " HAProxy `timeout tunnel`, or where it is absent `timeout client` and `timeout server`.",
        is_error=False,
    )
