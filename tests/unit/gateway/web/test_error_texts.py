from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import genba_gateway
from genba_gateway import errors
from genba_gateway.errors import GenbaError
from genba_gateway.web.error_texts import DETAILS, MESSAGES, STATUSES, say_detail, say_error
from genba_gateway.web.languages import speaking
from genba_gateway.web.phrases import MAX_MESSAGE_CHARS

PACKAGE = Path(genba_gateway.__file__).parent
ERRORS = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, GenbaError) and value.status != 500
}
ON_PAGES = (
    "agent_sessions",
    "api_keys",
    "autostart",
    "build_plans",
    "builds",
    "deadlines",
    "dry_runs",
    "jobs",
    "passwords",
    "port_shares",
    "presets",
    "searches",
    "sessions",
    "sign_in",
    "sign_in_links",
    "template_files",
    "user_changes",
    "users",
    "visibility",
    "workspaces",
)
"""The services whose errors somebody meets on a page."""
NOT_ON_PAGES = {
    "Invalid UUID {}.",
    "{} is no scope: choose among {}.",
    "An agent's token is needed.",
    "An agent's token is a UUID.",
    "No agent of a current build has this token.",
    "The ticket can't be used any more: {}",
    "ttl_ms {}.",
    "There is no template {}.",
    "Give either template_id or template_version_id.",
}
"""What only programs can bring about: a page sends no such request."""


def texts_of(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may be, with {} for what stands in their holes."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=other):
            yield from texts_of(body)
            yield from texts_of(other)
        case ast.JoinedStr(values=parts):
            options = [list(texts_of(part)) for part in parts]
            yield from ("".join(chosen) for chosen in itertools.product(*options))
        case ast.FormattedValue(value=ast.IfExp() as value):
            yield from texts_of(value)
        case ast.FormattedValue():
            yield "{}"
        case _:
            pass


def _raised_in(module: Path) -> set[str]:
    calls = (node for node in ast.walk(ast.parse(module.read_text("utf-8"))) if isinstance(node, ast.Call))
    return {
        text
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in ERRORS and call.args
        for text in texts_of(call.args[0])
    }


def with_holes(text: str) -> str:
    return re.sub(r"%\(\w+\)s", "{}", text)


def test_what_services_raise_on_pages_is_translated() -> None:
    raised = set[str]().union(*(_raised_in(PACKAGE / "services" / f"{name}.py") for name in ON_PAGES))
    assert raised - set(map(with_holes, MESSAGES)) - NOT_ON_PAGES == set()
    assert raised >= NOT_ON_PAGES


def test_nothing_is_translated_that_nobody_says() -> None:
    folders = (PACKAGE / "services", PACKAGE / "web")
    raised = set[str]().union(*(_raised_in(file) for folder in folders for file in folder.rglob("*.py")))
    assert set(map(with_holes, MESSAGES)) - raised == set()


@pytest.mark.parametrize(
    ("english", "japanese"),
    [
        ("Incorrect email or password.", "メールアドレスまたはパスワードが正しくありません。"),
        (
            "Workspace 'dev' has a build in progress (number 3, starting): wait for it or cancel it.",
            "ワークスペース 'dev' ではビルド 3 が進行中です (開始中)。終わるのを待つか、キャンセルしてください。",
        ),
        (
            "User 'mia' has 2 workspaces: delete them first.",
            "ユーザー 'mia' にはワークスペースが 2 個あります。先に削除してください。",
        ),
        ("The name 'a b' can't be used: it is taken.", "名前 'a b' は使えません: すでに使われています。"),
        ("must be 9 to 65535", "9 から 65535 までの値にしてください。"),
        ("Something that nobody translated.", "Something that nobody translated."),
        ("Workspace 'dev' was deleted.\n", "Workspace 'dev' was deleted.\n"),
    ],
)
def test_an_error_is_said_in_the_readers_language(english: str, japanese: str) -> None:
    assert say_error(english) == english
    with speaking("ja"):
        assert say_error(english) == japanese


def test_a_name_is_never_translated() -> None:
    with speaking("ja"):
        said = say_error("running has a workspace named 'Workspaces' already: choose another name.")
    assert said.startswith("running にはワークスペース 'Workspaces' が")


def test_a_text_as_long_as_a_document_is_left_as_it_is() -> None:
    text = "Template 'a' is deprecated: {}"
    longest = text.format("x" * (MAX_MESSAGE_CHARS - len(text) + 2))
    assert len(longest) == MAX_MESSAGE_CHARS
    with speaking("ja"):
        assert say_error(longest) != longest
        assert say_error(f"{longest}x") == f"{longest}x"


def test_every_text_reads_otherwise_in_japanese() -> None:
    with speaking("ja"):
        same = [text for text in (*MESSAGES, *DETAILS, *STATUSES) if say_error(text) == text]
    assert same == []


def test_what_only_looks_like_a_text_is_left_as_it_is() -> None:
    with speaking("ja"):
        assert say_error("") == ""
        assert say_error("must be 1 to 32 lower case letters") == "must be 1 to 32 lower case letters"
        assert say_error("must be 1 to 32") != "must be 1 to 32"


@pytest.mark.parametrize(
    ("detail", "english", "japanese"),
    [
        ("must be between 1 and 8", "Must be between 1 and 8.", "1 から 8 までの値にしてください。"),
        ("may only grow; it was 4", "May only grow; it was 4.", "値は増やすことしかできません（これまでは 4）。"),
        ("take a small one", "take a small one", "take a small one"),
    ],
)
def test_a_detail_is_a_sentence_and_an_author_is_quoted(detail: str, english: str, japanese: str) -> None:
    with speaking("en"):
        assert say_detail(detail) == english
    with speaking("ja"):
        assert say_detail(detail) == japanese
