from __future__ import annotations

import os
import pwd

import pytest

from genba_agent.user import find_user


def set_entry(monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    def get_entry(uid: int) -> pwd.struct_passwd:
        return pwd.struct_passwd(("kim", "x", uid, uid, "", "/home/kim", shell))

    monkeypatch.setattr(pwd, "getpwuid", get_entry)


@pytest.mark.parametrize(
    ("shell", "environ", "found"),
    [
        ("/bin/sh", {}, "/bin/sh"),
        ("/usr/sbin/nologin", {}, "/bin/sh"),
        ("/usr/sbin/nologin", {"SHELL": "/bin/sh"}, "/bin/sh"),
        ("/not/installed", {}, "/bin/sh"),
        ("", {}, "/bin/sh"),
    ],
)
def test_shell_is_one_that_can_be_used(
    shell: str, environ: dict[str, str], found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_entry(monkeypatch, shell)
    user = find_user(environ)
    assert (user.name, user.home, user.shell) == ("kim", "/home/kim", found)


def test_home_of_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    set_entry(monkeypatch, "/bin/sh")
    assert find_user({"HOME": "/elsewhere"}).home == "/elsewhere"


def test_user_id_without_an_entry_works(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(uid: int) -> pwd.struct_passwd:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", fail)
    user = find_user({})
    assert (user.name, user.home, user.shell) == (str(os.getuid()), "/", "/bin/sh")
    assert find_user({"USER": "kim", "HOME": "/h"}).home == "/h"
