"""Which expressions both engines read alike."""

from __future__ import annotations

import pytest

from genba_agent.files.patterns import MAX_PATTERN_CHARS, MAX_REPEATS, check_pattern, compile_pattern


@pytest.mark.parametrize(
    "query",
    [
        r"a+b*?c{2,3}?d{4}",
        r"(a|b)(?:c)(?P<n>d)",
        r"^\w\W\d\D\s\S$",
        r"\bfoo\b",
        r"[]a-z^\]-]",
        r"a||b",
        "--x",
        r"\.\{\}}",
    ],
)
def test_what_both_read_is_taken(query: str) -> None:
    check_pattern(query)


@pytest.mark.parametrize(
    "query",
    [
        *("(?=a)", "(?!a)", "(?<=a)", "(?<!a)", r"(a)\1", "(?P<n>a)(?P=n)", "(?i)a", "(?>a)", "a*+", "(?#c)"),
        *(r"\p{L}", r"\A", r"\Z", r"\z", r"\<a", r"\n", r"\x{41}", r"\Q", r"\B"),
        *("[[:alpha:]]", "[a&&b]", "[a--b]", "[a[b]"),
        *("a{", "{a}", "a{,3}", "(", ")", "[a", "*a", "a**"),
    ],
)
def test_what_one_of_them_reads_otherwise_is_refused(query: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        check_pattern(query)


def test_expressions_have_limits() -> None:
    check_pattern("a" * MAX_PATTERN_CHARS)
    check_pattern(f"a{{{MAX_REPEATS}}}")
    with pytest.raises(ValueError, match="more than"):
        check_pattern("a" * (MAX_PATTERN_CHARS + 1))
    with pytest.raises(ValueError, match="repeated"):
        check_pattern(f"a{{{MAX_REPEATS + 1}}}")
    with pytest.raises(ValueError, match="can't be read"):
        check_pattern("(" * 900)


def test_text_is_no_expression() -> None:
    assert compile_pattern("(1+1", is_regex=False, ignores_case=False).search("f(1+1)")
