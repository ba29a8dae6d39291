# SPDX-License-Identifier: GPL-2.0-or-later
"""vcmd in a network namespace, with a gateway and nodes written for that (wire.py); the stories are in stories.py."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import stories  # noqa: E402


def namespaces():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not namespaces(), reason="needs root and network namespaces")
@pytest.mark.parametrize("name", stories.STORIES)
def test_vcmd(name):
    place = tempfile.mkdtemp(prefix="vcmd-")  # a short name, for the socket
    try:
        got = subprocess.run(["unshare", "-nm", sys.executable, "-B", HERE / "stories.py", place, name], capture_output=True,
                             text=True, timeout=180)
        assert got.returncode == 0, got.stdout + got.stderr
    finally:
        shutil.rmtree(place)
