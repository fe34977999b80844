"""The program's ends that need no gateway; its lives are tests/integration/test_agent.py."""

from __future__ import annotations

import pytest

from genba_agent.main import EXIT_OPTIONS, main
from tests.support.agent_gateway import TOKEN


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CODER_AGENT_URL", ""),
        ("CODER_AGENT_URL", "http://["),
        ("CODER_AGENT_URL", "http://a:b"),
        ("CODER_AGENT_HEADER", "X=\u00e9"),
        ("CODER_AGENT_TOKEN", f"{TOKEN}\u00e9"),
        ("GENBA_WEBSOCKETS", "sometimes"),
    ],
)
def test_unusable_settings_are_one_sentence(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for each, usual in {"CODER_AGENT_URL": "http://genba", "CODER_AGENT_TOKEN": TOKEN, name: value}.items():
        monkeypatch.setenv(each, usual)
    assert main([]) == EXIT_OPTIONS
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert name.removesuffix("_TOKEN") in said or "header X" in said
