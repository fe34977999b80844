from __future__ import annotations

import pytest

from genba_gateway.web.markup import MAX_COLOURED_CHARS, colour_file, render_markdown


def test_a_read_me_is_shown_below_the_pages_own_heading() -> None:
    text = render_markdown("---\nname: x\n---\n# Title\n\n| a | b |\n|---|---|\n| 1 | `2` |\n\n### Part\n\n###### deep")
    assert "name: x" not in text
    assert "<h2>Title</h2>" in text
    assert "<h3>Part</h3>" in text
    assert "<td><code>2</code></td>" in text
    assert "<h4>deep</h4>" in text


@pytest.mark.parametrize(
    "evil",
    [
        "<script>x</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,x)",
        "[x](vbscript:x)",
        "<javascript:alert(1)>",
        '[x](https://x.test/"onmouseover="x)',
        "![x](https://tracker.test/pixel.png)",
        '```"><script>\ncode\n```',
        "- [x](file:///etc/passwd)",
    ],
)
def test_an_author_can_put_no_code_into_a_page(evil: str) -> None:
    text = render_markdown(evil)
    for forbidden in (
        "<script",
        "<img",
        ' onerror="',
        ' onmouseover="',
        'href="j',
        'href="J',
        'href="d',
        'href="v',
        'href="f',
    ):
        assert forbidden not in text


def test_links_leave_nothing_of_ours_behind() -> None:
    assert 'rel="noopener noreferrer nofollow"' in render_markdown("[docs](https://docs.test)")


def test_a_picture_is_said_in_words() -> None:
    assert render_markdown("![A diagram](https://x.test/a.png)") == "<p>A diagram</p>\n"


def test_a_file_is_coloured_by_its_kind_and_escaped() -> None:
    coloured = colour_file("main.tf", 'resource "x" "<script>" {\n}\n')
    assert '<span class="' in coloured
    assert "<script>" not in coloured
    assert colour_file("unknown.kind", "a < b") == "a &lt; b"


def test_a_large_file_is_shown_plain() -> None:
    assert "<span" in colour_file("main.tf", "a=1 " * (MAX_COLOURED_CHARS // 4))
    assert "<span" not in colour_file("main.tf", "a=1 " * (MAX_COLOURED_CHARS // 4) + "x")
