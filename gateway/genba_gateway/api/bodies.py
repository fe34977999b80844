"""How large a request's body may be, by what it is for, before anything of it is kept in memory."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

from quart import Request
from quart.datastructures import FileStorage
from quart.formparser import FormDataParser
from quart.wrappers.request import Body
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from genba_gateway.api.rate_limits import SIGN_IN_PATHS
from genba_wire.api.http_carriers import MAX_UP_BYTES, UP_SUFFIX

UPLOAD_PATH: Final = "/api/v2/files"

MAX_UPLOAD_BYTES: Final = 101 * 1024 * 1024
"""Uploads check their own limit of 100 MiB with a better message."""

MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""Terraform states that an owner gives, and agents' log lines in JSON's escapes, stay far below."""

MAX_SIGN_IN_BYTES: Final = 64 * 1024
"""Anybody may send these, so a large one would be anybody's way to fill the memory."""

MAX_FORM_FIELDS: Final = 2000
"""Each takes ten times its size in memory, and the loop's time; the longest form of ours has a field for each of 100
workspaces."""

_ANYBODYS_PATHS: Final = SIGN_IN_PATHS | {"/preferences"}


async def _parse_fields(
    _parser: FormDataParser, body: Body, _mimetype: str, _length: int | None, _options: dict[str, str]
) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
    try:
        form = parse_qsl((await body).decode(), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS)
    except UnicodeDecodeError:
        form = []
    except ValueError:
        raise RequestEntityTooLarge from None
    return MultiDict(form), MultiDict()


class FormParser(FormDataParser):
    """Quart's, for forms of some fields: it would take millions from anybody."""

    parse_functions: dict[str, Any] = {  # noqa: RUF012  # as Quart types it
        **FormDataParser.parse_functions,  # pyright: ignore[reportUnknownMemberType]  # Quart leaves it bare
        "application/x-www-form-urlencoded": _parse_fields,
        "application/x-url-encoded": _parse_fields,
    }


class LimitedRequest(Request):
    """A request whose body is refused with 413 as soon as it passes the limit of its path."""

    form_data_parser_class = FormParser

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.max_content_length = limit_of_path(self.path)
        self.body = self.body_class(self.content_length, self.max_content_length)


def limit_of_path(path: str) -> int:
    """The largest body in bytes."""
    if path == UPLOAD_PATH:
        return MAX_UPLOAD_BYTES
    if path.endswith(UP_SUFFIX):
        return MAX_UP_BYTES
    return MAX_SIGN_IN_BYTES if path in _ANYBODYS_PATHS else MAX_BODY_BYTES
