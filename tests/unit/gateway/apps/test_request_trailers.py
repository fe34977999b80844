"""What apps get of the trailers of requests."""

from __future__ import annotations

import pytest

from genba_gateway.apps.request_trailers import (
    MAX_TRAILERS,
    MAX_TRAILERS_BYTES,
    BadTrailers,
    name_trailers,
    trailers_for_app,
)

HEAD = [(b"host", b"a.test"), (b"x-in-head", b"1"), (b"connection", b"X-Hop, close")]
FORBIDDEN = (
    b"host authorization cookie coder-session-token x-forwarded-for x-original-url x-real-ip forwarded content-length "
    b"transfer-encoding content-type content-encoding trailer te upgrade expect if-none-match accept-encoding "
    b"proxy-authorization sec-fetch-mode access-control-request-method origin referer x-http-method-override "
    b"x-genba-passed x_sum coder_session_token x-in-head x-hop :path"
).split()


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_a_head_decides_by_is_no_trailer_and_is_not_named_as_one(name: bytes) -> None:
    assert trailers_for_app([(name, b"1"), (b"x-sum", b"2")], HEAD) == [(b"x-sum", b"2")]
    assert name_trailers([*HEAD, (b"trailer", name + b", x-sum")]) == [(b"trailer", b"x-sum")]
    assert name_trailers([*HEAD, (b"trailer", name)]) == []


@pytest.mark.parametrize("name", [b"x-sum", b"content-digest", b"content-md5", b"repr-digest", b"grpc-status"])
def test_what_is_known_behind_a_body_only_passes(name: bytes) -> None:
    assert trailers_for_app([(name, b"1")], HEAD) == [(name, b"1")]
    assert name_trailers([(b"trailer", b" " + name.upper()), (b"trailer", name)]) == [(b"trailer", name)]


@pytest.mark.parametrize(
    "trailer", [(b"x sum", b"1"), (b"x:sum", b"1"), (b"", b"1"), (b"x-sum", b"1\r\nhost: b"), (b"x-sum", b"\x00")]
)
def test_what_ends_a_line_or_a_name_is_no_trailer(trailer: tuple[bytes, bytes]) -> None:
    assert trailers_for_app([trailer], HEAD) == []


def test_nothing_is_named_that_the_client_did_not_name() -> None:
    assert name_trailers(HEAD) == name_trailers([(b"trailer", b" , ")]) == []


def test_trailers_have_limits_which_count_what_came() -> None:
    most = [(b"x-%d" % number, b"") for number in range(MAX_TRAILERS)]
    assert trailers_for_app(most, HEAD) == most
    with pytest.raises(BadTrailers, match="64 trailers"):
        trailers_for_app([*most, (b"host", b"")], HEAD)
    longest = [(b"x-sum", b"v" * (MAX_TRAILERS_BYTES - 5))]
    assert trailers_for_app(longest, HEAD) == longest
    with pytest.raises(BadTrailers, match="8192 bytes"):
        trailers_for_app([(b"x-sum2", longest[0][1])], HEAD)
