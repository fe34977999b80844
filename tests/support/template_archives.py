"""Builders of template archives."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping


def template_archive(files: Mapping[str, str]) -> bytes:
    """Pack files into the tar that a template version has."""
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        for name, text in files.items():
            content = text.encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return output.getvalue()
