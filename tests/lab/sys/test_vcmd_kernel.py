"""vcmd with manual keys in the lab's kernel: inside_vcmd.py. One boot serves all."""

import json
import os
import re

import pytest

from test_sys import HERE, TOP, boot

VCMD = os.path.join(os.environ.get("HOMEBOUND_BUILD", os.path.join(TOP, "build")), "vcm", "vcmd")

with open(os.path.join(HERE, "inside_vcmd.py")) as f:
    NAMES = re.findall(r"^def test_(\w+)\(", f.read(), re.M)


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    out = str(tmp_path_factory.mktemp("vcmd"))
    boot(VCMD, out, "inside_vcmd.py")
    with open(os.path.join(out, "results.json")) as f:
        return {**json.load(f), "out": out}


@pytest.mark.parametrize("name", NAMES)
def test_vcmd_kernel(report, name):
    assert name in report["results"], f"did not run, see {report['out']}/console.log"
    assert report["results"][name] is None, report["results"][name] + f"; see {report['out']}"
