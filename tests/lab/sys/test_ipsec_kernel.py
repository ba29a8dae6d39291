"""The netlink half of ipsec-glue in the lab's kernel: inside_ipsec.py drives the sender (drive_ipsec.c) and has the
kernel's own tools as witnesses. One boot serves all."""

import json
import os
import re
import subprocess

import pytest

from test_sys import HERE, TOP, boot

PACKAGES = "libnl-3.0 libcrypto".split()

with open(os.path.join(HERE, "inside_ipsec.py")) as f:
    NAMES = re.findall(r"^def test_(\w+)\(", f.read(), re.M)


def build(out):
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", *PACKAGES], check=True, stdout=subprocess.PIPE,
                           text=True).stdout.split()
    sources = [os.path.join(TOP, folder, name) for folder in ("lib", "ipsec-glue")
               for name in sorted(os.listdir(os.path.join(TOP, folder))) if name.endswith(".c")]
    program = os.path.join(out, "drive_ipsec")
    subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-I" + TOP, "-I" + TOP + "/include", *sources,
                    os.path.join(HERE, "drive_ipsec.c"), "-o", program, *flags], check=True)
    return program


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    out = str(tmp_path_factory.mktemp("ipsec"))
    boot(build(out), out, "inside_ipsec.py")
    with open(os.path.join(out, "results.json")) as f:
        return {**json.load(f), "out": out}


@pytest.mark.parametrize("name", NAMES)
def test_ipsec(report, name):
    assert name in report["results"], f"did not run, see {report['out']}/console.log"
    assert report["results"][name] is None, report["results"][name] + f"; see {report['out']}"
