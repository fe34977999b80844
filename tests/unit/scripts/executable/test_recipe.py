"""What the executable holds."""

from __future__ import annotations

import pytest

from scripts.clone import ROOT
from scripts.executable import recipe
from scripts.executable.base import pick_pins


def test_every_wheel_is_in_the_lock() -> None:
    pins = pick_pins((ROOT / "requirements-run.lock").read_text(encoding="utf-8"), recipe.WHEELS)
    assert pins.count("==") == len(recipe.WHEELS)


def test_the_program_for_macos_has_no_wheel_of_its_own() -> None:
    assert set(recipe.PORTABLE_WHEELS) < set(recipe.WHEELS)
    assert set(recipe.PORTABLE_PACKAGES) < set(recipe.PACKAGES)


@pytest.mark.parametrize("package", recipe.PACKAGES)
def test_every_package_of_ours_is_there(package: str) -> None:
    assert (ROOT / package / "__init__.py").exists()


def test_names_of_a_machine_fit_each_other() -> None:
    for arch, platform in recipe.PLATFORMS.items():
        assert platform.arch == arch
        assert platform.triplet.startswith(platform.machine)
        assert platform.machine.replace("_", "-") in platform.loader
