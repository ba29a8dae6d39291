# SPDX-License-Identifier: GPL-2.0-or-later
"""Configuration files as vcmd reads them; as test_golden.py, for the folder vcmd/."""
import os
import pathlib
import re
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent / "vcmd"
BUILD = pathlib.Path(os.environ.get("HOMEBOUND_BUILD", HERE.parent.parent.parent / "build"))
VCMD = os.environ.get("VCMD", str(BUILD / "vcm" / "vcmd"))
WRITE = os.environ.get("HOMEBOUND_GOLDEN") == "write"
GOOD = sorted((HERE / "good").glob("*.conf"))
BAD = sorted((HERE / "bad").glob("*.conf"))


def vcmd(*args, cwd):
    return subprocess.run([VCMD, "-t", *args], cwd=cwd, capture_output=True, text=True, timeout=60)


def expect(path, text):
    if WRITE:
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("conf", GOOD, ids=lambda p: p.stem)
def test_good(conf, tmp_path):
    silent = vcmd("-c", conf.name, cwd=conf.parent)
    assert (silent.returncode, silent.stderr) == (0, "")
    once = vcmd("-p", "-c", conf.name, cwd=conf.parent)
    assert (once.returncode, once.stderr) == (0, "")
    expect(conf.with_suffix(".out"), once.stdout)
    printed = tmp_path / "printed.conf"
    printed.write_text(once.stdout)
    twice = vcmd("-p", "-c", str(printed), cwd=tmp_path)
    assert (twice.returncode, twice.stderr, twice.stdout) == (0, "", once.stdout)


@pytest.mark.parametrize("conf", BAD, ids=lambda p: p.stem)
def test_bad(conf):
    got = vcmd("-c", conf.name, cwd=conf.parent)
    assert (got.returncode, got.stdout) == (1, "")
    expect(conf.with_suffix(".err"), got.stderr)
    for line in got.stderr.splitlines():
        # file, line, reason, remedy
        assert re.match(r"[^:]+:[1-9][0-9]*: .+(; .+|\?$)", line), line


def test_example():
    got = vcmd("-c", str(HERE.parent.parent.parent / "examples" / "vcmd.conf"), cwd=HERE)
    assert (got.returncode, got.stderr) == (0, "")


def test_a_hundred_thousand_nodes(tmp_path):
    conf = tmp_path / "many.conf"
    nodes = ",\n".join(f'"fd00:0:0:1::{i >> 16:x}:{i & 0xffff:x}"' for i in range(100000, 0, -1))
    conf.write_text('address = "fd00:0:0:2::9"; gateways = ( "fd00:0:0:1::1" ); ipsec = { manager = "none"; };\n'
                    f'store = {{ key_file = "/k"; }};\nnodes = (\n{nodes}\n);\n')
    got = vcmd("-p", "-c", str(conf), cwd=tmp_path)
    assert got.returncode == 0, got.stderr[:1000]
    assert got.stdout.count('\n\t"fd00:') == 100000
