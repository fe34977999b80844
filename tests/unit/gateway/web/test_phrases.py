"""Texts within texts, looked up no deeper than they are made."""

from __future__ import annotations

from genba_gateway.web.languages import speaking
from genba_gateway.web.phrases import MAX_DEPTH, Phrases

PHRASES = Phrases(
    ["The agent of %(name)s is away", "%(agent)s: %(why)s"], nested=frozenset({"why"}), in_holes={"agent": r"\w+"}
)


def test_what_stands_in_a_text_is_looked_up_as_deep_as_texts_are_made_and_no_deeper() -> None:
    message = "main: " * MAX_DEPTH + "The agent of dev is away"
    with speaking("ja"):
        said = PHRASES.say(message)
        assert said == "main: " * MAX_DEPTH + "dev のエージェントに接続できません"
        assert PHRASES.say(f"main: {message}") == f"main: {message}"
    assert PHRASES.say(message) == message
