from __future__ import annotations

from genba_gateway.web.workspace.pieces import ChangedPieces, make_piece


def test_a_piece_is_sent_when_it_looks_otherwise() -> None:
    changed = ChangedPieces()
    first = changed.take(make_piece("head", "<p>a</p>"))
    assert first.startswith("<!--live-head ")
    assert '<div hx-swap-oob="innerHTML:#live-head"><p>a</p></div>' in first
    assert changed.take(make_piece("head", "<p>a</p>")) == ""
    assert changed.take(make_piece("build", "<p>a</p>")) != ""
    assert changed.take(make_piece("head", "<p>b</p>")) != ""


def test_another_form_token_is_no_change() -> None:
    changed = ChangedPieces()
    assert changed.take(make_piece("head", "<input value=x1>", token="x1"))
    assert not changed.take(make_piece("head", "<input value=x2>", token="x2"))


def test_a_piece_with_a_key_changes_with_it_alone() -> None:
    changed = ChangedPieces()
    assert changed.take(make_piece("logs", "a", key="1"))
    assert not changed.take(make_piece("logs", "b", key="1"))
    assert changed.take(make_piece("logs", "b", key="2"))
