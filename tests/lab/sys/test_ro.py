"""The direct path in the lab's kernel: inside_ro.py drives it through struct ro_ops (drive_ro.c). One boot serves all."""

import json
import os
import re

import pytest

from test_sys import HERE, boot, build

with open(os.path.join(HERE, "inside_ro.py")) as f:
    NAMES = re.findall(r"^def test_(\w+)\(", f.read(), re.M)


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    out = str(tmp_path_factory.mktemp("ro"))
    boot(build(out, "drive_ro.c"), out, "inside_ro.py")
    with open(os.path.join(out, "results.json")) as f:
        return {**json.load(f), "out": out}


@pytest.mark.parametrize("name", NAMES)
def test_direct_path(report, name):
    assert name in report["results"], f"did not run, see {report['out']}/console.log"
    assert report["results"][name] is None, report["results"][name] + f"; see {report['out']}"


def test_cost_of_a_pair_does_not_grow(report):
    f = report["figures"]
    assert f["pairs_to_10000_us_each"] < 10 * f["pairs_to_1000_us_each"], f
