# SPDX-License-Identifier: GPL-2.0-or-later
"""Configuration files as vcmd reads them: the folder vcmd/, see config_files.py."""
import os

import pytest
from config_files import BUILD, HERE, TOP, Daemon

vcmd = Daemon(os.environ.get("VCMD", str(BUILD / "vcm" / "vcmd")), HERE / "vcmd")


@pytest.mark.parametrize("conf", vcmd.good, ids=lambda p: p.stem)
def test_good(conf, tmp_path):
    vcmd.accepts(conf, tmp_path)


@pytest.mark.parametrize("conf", vcmd.bad, ids=lambda p: p.stem)
def test_bad(conf):
    vcmd.refuses(conf)


def test_example():
    got = vcmd("-c", str(TOP / "examples" / "vcmd.conf"), cwd=HERE)
    assert (got.returncode, got.stderr) == (0, "")


def test_a_hundred_thousand_nodes(tmp_path):
    conf = tmp_path / "many.conf"
    nodes = ",\n".join(f'"fd00:0:0:1::{i >> 16:x}:{i & 0xffff:x}"' for i in range(100000, 0, -1))
    conf.write_text('address = "fd00:0:0:2::9"; gateways = ( "fd00:0:0:1::1" ); ipsec = { manager = "none"; };\n'
                    f'store = {{ key_file = "/k"; }};\nnodes = (\n{nodes}\n);\n')
    got = vcmd("-p", "-c", str(conf), cwd=tmp_path)
    assert got.returncode == 0, got.stderr[:1000]
    assert got.stdout.count('\n\t"fd00:') == 100000
