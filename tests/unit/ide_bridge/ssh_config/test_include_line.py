"""Our line in any bytes of a config."""

from __future__ import annotations

from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from genba_ide_bridge.ssh_config.include_line import add_line, has_line, make_include_line, remove_line

LINE = make_include_line(PurePosixPath("/home/alice/.config/genba/ssh_config"))

configs = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from(
            [LINE, b"Host *", b" ", b"# note", b"\xff\xfe", b"", LINE + b" # mine", b" " + LINE, b"\n", b"\r\n", b"\r"]
        ),
        max_size=12,
    ).map(b"".join),
)


@given(configs.filter(lambda config: not has_line(config, LINE)))
def test_adding_and_removing_gives_the_same_bytes(config: bytes) -> None:
    added = add_line(config, LINE)
    assert has_line(added, LINE)
    assert remove_line(added, LINE) == config


@given(configs)
def test_twice_added_is_one_line(config: bytes) -> None:
    added = add_line(config, LINE)
    assert add_line(added, LINE) == added


@given(configs)
def test_adding_and_removing_take_or_give_one_line_and_no_other_byte(config: bytes) -> None:
    ends = (b"", b"\n", b"\r\n")
    added = add_line(config, LINE)
    assert added == config or added in [LINE + end + config for end in ends]
    removed = remove_line(config, LINE)
    cuts = [removed[:at] + LINE + end + removed[at:] for at in range(len(removed) + 1) for end in ends]
    assert removed == config or config in cuts


def test_the_end_of_the_line_is_that_of_the_file() -> None:
    assert add_line(b"Host a\r\n", LINE) == LINE + b"\r\nHost a\r\n"
    assert add_line(b"Host a\nHost b\r\n", LINE) == LINE + b"\nHost a\nHost b\r\n"
    assert add_line(b"", LINE) == LINE + b"\n"


def test_a_line_that_somebody_moved_is_left_there_and_found() -> None:
    config = b"# mine\n" + LINE + b"\nHost a\n"
    assert add_line(config, LINE) == config
    assert remove_line(config, LINE) == b"# mine\nHost a\n"


def test_a_line_that_only_resembles_ours_is_somebody_elses() -> None:
    for other in (LINE + b"s\n", b"#" + LINE + b"\n", LINE + b" other\n", LINE.lower() + b"\n"):
        assert remove_line(other, LINE) == other
