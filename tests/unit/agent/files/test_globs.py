"""What globs fit, and which are none; ripgrep's reading of them is held against ours in test_searching."""

from __future__ import annotations

import pytest

from genba_agent.files.globs import MAX_GLOB_CHARS, MAX_GLOBS, Globs, check_globs


@pytest.mark.parametrize(
    ("glob", "fits", "fits_not"),
    [
        ("*.py", ["a.py", "x/y/a.py", ".py"], ["a.pyc", "a.py/b"]),
        ("src/*.py", ["src/a.py"], ["src/x/a.py", "y/src/a.py"]),
        ("/a", ["a"], ["x/a"]),
        ("**/a", ["a", "x/y/a"], ["xa"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "x/a/b"]),
        ("a/**/b", ["a/b", "a/x/y/b"], ["a/xb"]),
        ("[a-c]?.{ts,js}", ["b1.ts", "x/c2.js"], ["d1.ts", "b.ts", "b1.{ts,js}"]),
        ("[!a]b", ["cb"], ["ab", "/b"]),
        ("a.b+(c)", ["a.b+(c)"], ["axb+(c)"]),
    ],
)
def test_files_are_fitted(glob: str, fits: list[str], fits_not: list[str]) -> None:
    globs = Globs([glob])
    assert [path for path in fits if not globs.fits_file(path)] == []
    assert [path for path in fits_not if globs.fits_file(path)] == []


def test_a_slash_at_the_end_means_folders() -> None:
    globs = Globs(["build/"])
    assert globs.fits_folder("x/build")
    assert not globs.fits_file("build")


@pytest.mark.parametrize("glob", ["", "/", "!a", "a\\b", "a**", "**a", "{a", "{a,{b,c}}", "[a", "[z-a]", "a\nb"])
def test_what_is_no_glob_is_refused(glob: str) -> None:
    with pytest.raises(ValueError, match=r"no glob|not closed"):
        check_globs([glob])


def test_globs_have_limits() -> None:
    check_globs(["a" * MAX_GLOB_CHARS] * MAX_GLOBS)
    with pytest.raises(ValueError, match="more than 64"):
        check_globs(["a"] * (MAX_GLOBS + 1))
    with pytest.raises(ValueError, match="is no glob"):
        check_globs(["a" * (MAX_GLOB_CHARS + 1)])
