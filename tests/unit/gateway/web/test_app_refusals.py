"""Pages in place of an app, in the language of who looks at them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import genba_gateway
from genba_gateway.apps.refusals import plain_page, render_refusal
from genba_gateway.domain.app_access import AppOrigin, AppRefusal, AppRequest
from genba_gateway.web.app_refusals import TEXTS, say_refusal, show_refusal
from genba_gateway.web.languages import speaking, translate
from tests.unit.gateway.web.test_error_texts import texts_of, with_holes

PACKAGE = Path(genba_gateway.__file__).parent
WHOLE_MODULES = (
    "domain/app_entry",
    "domain/app_rules",
    "services/app_access",
    "services/agent_dials",
    "services/agent_links",
    "relay/rendezvous",
    "apps/bodies",
    "apps/connections",
    "apps/exchange",
    "apps/explanations",
    "apps/handshakes",
    "apps/hosts",
    "apps/plain_answers",
    "apps/pool",
    "apps/request_trailers",
    "apps/requests",
    "apps/responses",
    "apps/tasks",
    "apps/tls_way",
    "apps/upstreams",
)
"""What makes refusals, or says what becomes a part of one."""
FUNCTIONS = {
    "domain/workspaces": {"explain_build", "_clock"},
    "domain/agents": {"MACHINE_RESTARTED", "agent_status", "_status_before_connecting"},
    "domain/session_grants": {"explain_lost_build"},
    "services/agent_connections": {"_AGENT_LEFT", "_WAS_SUPERSEDED", "_GATEWAY_RESTARTED"},
}
"""Likewise, of modules that say other things too."""
NOT_ON_PAGES = {
    "%Y-%m-%d %H:%M:%S UTC",
    # Names of tasks, and of links
    "watch an app's answer",
    "watch an app's websocket",
    "link to agent {}",
    "websockets of apps",
    # Nobody is left to see it
    "The client left.",
    "The viewer left.",
    "a browser waits for a websocket",
    # Logged, and explained otherwise (`explain_silence`)
    "The agent refused: {}.",
    # Answers to agents
    "Nobody waits for this carrier: the request that asked for it has ended.",
    "This carrier was opened before; each is asked for by a nonce of its own.",
}
SAMPLES = {
    "agent": "'main'",
    "app": "'code'",
    "count": "3",
    "doing": "start",
    "error": "It did.",
    "more": "",
    "name": "dev",
    "place": "2",
    "port": "8080",
    "reason": "it did",
    "seconds": "2.5",
    "size": "4",
    "url": "'https://a.test'",
    "what": "port 8080",
    "when": "2026-01-02 03:04:05 UTC",
    "why": "Its connection ended.",
}
"""What stands in the holes of texts."""
SAID = {**SAMPLES, "doing": "起動", "what": "ポート 8080 ", "why": "接続が終了しました。"}
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def _said_in(node: ast.AST) -> Iterator[str]:
    """The texts of code: what has a space, is no docstring and isn't logged."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return
        case ast.Call(func=ast.Attribute(value=ast.Name(id="log"))):
            return
        case ast.JoinedStr() | ast.Constant():
            yield from (text for text in texts_of(node) if " " in text)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _said_in(child)


def _tree_of(name: str) -> ast.Module:
    return ast.parse((PACKAGE / f"{name}.py").read_text("utf-8"))


def _name_of(node: ast.stmt) -> str:
    match node:
        case ast.FunctionDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case _:
            return ""


def _all_said() -> set[str]:
    said = {text for name in WHOLE_MODULES for text in _said_in(_tree_of(name))}
    for module, names in FUNCTIONS.items():
        found = [node for node in _tree_of(module).body if _name_of(node) in names]
        assert {_name_of(node) for node in found} == names
        said |= {text for node in found for text in _said_in(node)}
    return said


def _makers_of_refusals() -> set[str]:
    return {
        file.relative_to(PACKAGE).with_suffix("").as_posix()
        for file in PACKAGE.rglob("*.py")
        if re.search(r"= AppRefusal\(|return AppRefusal\(", file.read_text("utf-8"))
    }


def test_everything_that_is_said_in_place_of_an_app_can_be_translated() -> None:
    assert _makers_of_refusals() <= set(WHOLE_MODULES)
    assert _all_said() - set(map(with_holes, TEXTS)) - NOT_ON_PAGES == set()


def test_nothing_is_translated_that_nobody_says() -> None:
    assert set(map(with_holes, TEXTS)) | NOT_ON_PAGES == _all_said()


@pytest.mark.parametrize("text", TEXTS)
def test_each_text_is_known_by_what_was_made_from_it(text: str) -> None:
    message = text % SAMPLES
    assert say_refusal(message) == message
    with speaking("ja"):
        said = say_refusal(message)
        assert said == translate(text) % SAID
    assert JAPANESE.search(said)


def test_texts_within_texts_are_translated_and_names_are_not() -> None:
    with speaking("ja"):
        assert say_refusal("Start is stopped") == "Start は停止しています"
        assert say_refusal(
            "Its agent 'main' is awaited. It has not connected yet; its machine may still be starting. It is given up "
            "for late 120 s after an unknown time."
        ) == (
            "エージェント 'main' の接続を待っています。まだ接続していません。マシンが起動中かもしれません。"
            "不明な時刻 から 120 秒を過ぎると遅延とみなします。"
        )
        assert say_refusal("No program listens for the app 'code'. Look at the log of the script that starts it.") == (
            "アプリ 'code' を待ち受けるプログラムがありません。起動するスクリプトのログを確認してください。"
        )
        assert say_refusal("localhost:8080 closed the connection: something new.") == (
            "localhost:8080 が接続を閉じました: something new."
        )
        assert say_refusal("main: nobody translated this") == "main: nobody translated this"


REFUSAL = AppRefusal(503, "dev is starting", "It is back in a moment.", 2, "https://dash.test/@a/dev")


def asked(**headers: str) -> AppRequest:
    encoded = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return AppRequest(AppOrigin.PATH, "GET", "http", "a.test", "/", "", encoded, "", is_websocket=False)


@pytest.mark.parametrize("accepted", ["ja", "ja-JP,en;q=0.5", "en;q=0.2, ja;q=0.4"])
def test_a_page_is_in_the_language_of_the_browser(accepted: str) -> None:
    page = show_refusal(REFUSAL, asked(accept_language=accepted))
    assert '<html lang="ja">' in page.html
    assert "<h1>dev は起動中です</h1>" in page.html
    assert "まもなく元に戻ります。" in page.html
    assert "このページは自動的に進みます" in page.html
    assert ">経過を確認する</a>" in page.html
    assert not re.search(r"back in a moment|goes on|See how", page.html)


@pytest.mark.parametrize("accepted", ["", "en", "de,ja;q=0", "*", "ja;q=x;;,\xff"])
def test_a_page_is_english_for_everybody_else(accepted: str) -> None:
    request = asked(accept_language=accepted)
    assert show_refusal(REFUSAL, request) == plain_page(REFUSAL, request)


def test_what_programs_get_is_english() -> None:
    _, body = render_refusal(REFUSAL, asked(accept="application/json", accept_language="ja"), show_refusal)
    assert body == b'{"message":"It is back in a moment.","detail":""}'


def test_names_are_shown_as_text() -> None:
    refusal = AppRefusal(502, "<b> is not ready yet", "Nothing answers in <i>")
    html = show_refusal(refusal, asked(accept_language="ja")).html
    assert "&lt;b&gt; はまだ" in html
    assert "<i>" not in html
