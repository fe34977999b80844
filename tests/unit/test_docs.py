"""The docs name what there is."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from genba_gateway.config import Config
from genba_ide_bridge.cli import main
from genba_wire import http_frames
from genba_wire.api import http_carriers
from genba_wire.tunnel import credit, files, frames, mux, mux_frames, replay, streams
from genba_wire.tunnel.frames import CloseCode, FrameType
from genba_wire.tunnel.mux_frames import MuxType, ResetCode
from tests.support.route_table import list_routes

ROOT = Path(__file__).resolve().parent.parent.parent


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("setting", [field.name for field in fields(Config)])
def test_every_setting_of_the_gateway_is_documented(setting: str) -> None:
    row = f"| `--{setting.replace('_', '-')}"
    assert any(
        line.startswith(row) and f"`GENBA_{setting.upper()}`" in line
        for line in read("docs/configuration.md").splitlines()
    )


def test_every_library_has_its_line_of_reason() -> None:
    project = tomllib.loads(read("pyproject.toml"))
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = [re.split(r"[\[<>=]", requirement)[0] for requirement in wanted]
    reasons = read("docs/decisions/0002-libraries.md")
    assert [name for name in names if name not in reasons and not name.startswith("types-")] == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_that_the_docs_name_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^    )make ([a-z-]+)", read(page), re.MULTILINE))
    assert named
    assert named <= targets


@pytest.mark.parametrize(
    "page",
    [
        *("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/protocol.md", "docs/api.md", "docs/cli.md"),
        *("docs/configuration.md", "docs/networks.md"),
    ],
)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    folder = (ROOT / page).parent
    links = re.findall(r"\]\(([^)#:]+)\)", read(page))
    assert [link for link in links if not (folder / link).exists()] == []


def section(page: str, title: str) -> str:
    """A section of second level, with those inside it."""
    return read(page).split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize(
    ("title", "frame_class", "frame_type"),
    [
        *(("Carriers", each.__name__, FrameType[each.__name__.upper()]) for each in get_args(frames.Frame)),
        *(("Streams", each.__name__, MuxType[each.__name__.upper()]) for each in get_args(mux_frames.MuxFrame)),
    ],
)
def test_every_frame_is_documented_with_its_type(title: str, frame_class: str, frame_type: int) -> None:
    assert f"| `0x{frame_type:02X}` | `{frame_class}` |" in section("docs/protocol.md", title)


def test_every_type_has_a_frame_class() -> None:
    assert {each.name for each in FrameType} == {each.__name__.upper() for each in get_args(frames.Frame)}
    assert {each.name for each in MuxType} == {each.__name__.upper() for each in get_args(mux_frames.MuxFrame)}


@pytest.mark.parametrize(
    ("title", "code"), [*(("Links", code) for code in CloseCode), *(("Streams", code) for code in ResetCode)]
)
def test_every_code_is_documented(title: str, code: CloseCode | ResetCode) -> None:
    assert f"| {code.value} | `{code.name}` |" in section("docs/protocol.md", title)


LIMITS = {
    "Carriers": (
        frames,
        ["DATA_CHUNK_BYTES", "MIN_MESSAGE_BYTES", "MAX_MESSAGE_BYTES", "MAX_REASON_BYTES", "MAX_CONTROL_BYTES"],
    ),
    "Streams": (mux_frames, ["MAX_PAYLOAD_BYTES", "MAX_HEAD_BYTES", "MAX_NOTE_BYTES", "MAX_KIND_BYTES"]),
}


def as_documented(size: int) -> str:
    """A size as the docs write it: 64 KiB + 64."""
    if size < 1024:
        return str(size)
    kibibytes, rest = divmod(size, 1024)
    unit = f"{kibibytes // 1024} MiB" if kibibytes % 1024 == 0 else f"{kibibytes} KiB"
    return f"{unit} + {rest}" if rest else unit


@pytest.mark.parametrize(
    ("title", "name", "value"),
    [
        *((title, name, getattr(module, name)) for title, (module, names) in LIMITS.items() for name in names),
        ("Carriers over HTTP requests", "MAX_UP_BYTES", http_carriers.MAX_UP_BYTES),
        ("Carriers over HTTP requests", "MAX_END_BYTES", http_frames.MAX_END_BYTES),
        *(("Streams", name, getattr(credit, name)) for name in ("INITIAL_WINDOW", "MAX_WINDOW", "MAX_GROWTH")),
    ],
)
def test_every_limit_is_documented_with_its_value(title: str, name: str, value: int) -> None:
    assert f"| `{name}` | {as_documented(value)} |" in section("docs/protocol.md", title)


@pytest.mark.parametrize(
    "name", ["MAX_REPLAY_BYTES", "CONTROL_RESERVE_BYTES", "MAX_PROCESS_REPLAY_BYTES", "LEAST_REPLAY_BYTES"]
)
def test_every_limit_of_sending_again_is_documented(name: str) -> None:
    sentences = section("docs/protocol.md", "Links").replace("\n", " ").split("; ")
    assert any(f"`{name}`" in each and as_documented(getattr(replay, name)) in each for each in sentences)


@pytest.mark.parametrize("name", ["KEEP_ALIVE_S", "TAKE_UP_S"])
def test_every_timer_of_carriers_over_requests_is_documented(name: str) -> None:
    value = getattr(http_carriers, name)
    assert f"| `{name}` | {value:.0f} s |" in section("docs/protocol.md", "Carriers over HTTP requests")


@pytest.mark.parametrize("name", ["PING_AFTER_S", "DEAD_AFTER_S", "GREETING_S", "ANSWER_S"])
def test_every_timer_is_documented_with_its_value(name: str) -> None:
    assert f"| `{name}` | {getattr(frames, name):.0f} s |" in section("docs/protocol.md", "Carriers")


def test_every_kind_of_stream_is_documented() -> None:
    text = section("docs/protocol.md", "Streams")
    for kind, head in (
        (streams.PTY, "PtyOpen"),
        (streams.TCP, "TcpOpen"),
        (streams.UNIX, "UnixOpen"),
        (streams.UDP, "UdpOpen"),
        (streams.SPEED, "SpeedOpen"),
        (streams.PORTS, "none"),
        (files.FILES, "FileOpen"),
    ):
        assert f"| `{kind}` | `{head}`" in text or f"| `{kind}` | {head} |" in text
    assert f"| `MAX_STREAMS` | {mux.MAX_STREAMS} a link |" in text


def test_every_route_is_documented_with_what_it_needs() -> None:
    documented = re.findall(r"^\| ([A-Z]+) \| `([^`]+)` \| ([^|]+) \| [^|]+ \|$", read("docs/api.md"), re.MULTILINE)
    assert documented == list_routes()


def test_every_command_is_documented() -> None:
    documented = re.findall(r"^\| `genba ([a-z-]+)` \| (.+) \|$", read("docs/cli.md"), re.MULTILINE)
    assert documented == [(name, what) for name, (_, _, what) in main.TABLE.items()]
    assert all(f"`{alias}` is `{name}`" in read("docs/cli.md") for alias, name in main.ALIASES.items())
