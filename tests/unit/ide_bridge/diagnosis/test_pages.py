from __future__ import annotations

import pytest

from genba_ide_bridge.diagnosis.pages import find_title, is_page


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("<html>\r\n<head><title>413 Request Entity Too Large</title></head>", "413 Request Entity Too Large"),
        ("<html><body><h1>403 Forbidden</h1>\nRequest forbidden.\n</body></html>", "403 Forbidden"),
        ("<p>" + "no title " * 20, ("<p>" + "no title " * 20)[:100]),
    ],
)
def test_page_is_known_by_its_title(page: str, title: str) -> None:
    assert is_page(page)
    assert find_title(page) == title


def test_sentence_is_no_page() -> None:
    assert not is_page("The version <1 is too old.")
