"""Pages and texts in place of an app."""

from __future__ import annotations

from genba_gateway.apps.refusals import plain_page, render_refusal
from genba_gateway.domain.app_access import AppOrigin, AppRefusal, AppRequest

REFUSAL = AppRefusal(502, "<b>Not</b> yet", 'It "starts" & waits.', 3, "https://dash.test/@a/demo?x&y")


def asked(accept: str = "text/html", *, is_websocket: bool = False) -> AppRequest:
    """A request that takes this."""
    headers = [(b"accept", accept.encode())]
    return AppRequest(AppOrigin.PATH, "GET", "http", "a.test", "/", "", headers, "", is_websocket)


def test_a_page_loads_itself_again_without_a_script_and_shows_text_as_text() -> None:
    headers, body = render_refusal(REFUSAL, asked(), plain_page)
    text = body.decode()
    assert '<meta http-equiv="refresh" content="3">' in text
    assert "&lt;b&gt;Not&lt;/b&gt; yet" in text
    assert 'href="https://dash.test/@a/demo?x&amp;y"' in text
    assert text.count("goes on by itself") == 1
    assert "<script" not in text
    policy = dict(headers)[b"content-security-policy"].decode()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert dict(headers)[b"retry-after"] == b"3"
    assert dict(headers)[b"cache-control"] == b"no-store"


def test_a_page_that_waiting_does_not_change_stays() -> None:
    headers, body = render_refusal(AppRefusal(404, "No", "Nothing."), asked(), plain_page)
    assert b"refresh" not in body
    assert b"retry-after" not in dict(headers)


def test_programs_get_a_line() -> None:
    headers, body = render_refusal(REFUSAL, asked("application/json"), plain_page)
    assert dict(headers)[b"content-type"] == b"application/json"
    assert body == b'{"message":"It \\"starts\\" & waits.","detail":""}'
    headers, body = render_refusal(REFUSAL, asked(is_websocket=True), plain_page)
    assert dict(headers)[b"content-type"].startswith(b"text/plain")
    assert body == b'It "starts" & waits.\n'
