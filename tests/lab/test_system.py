"""Requirement U4 and the system side: nothing is left behind, nothing is half applied, tunnels carry what they must."""

import os
import re
import subprocess

import pytest
from conftest import BUILD, ROOT, have_daemons, passed

LOOK = "ip -6 addr; ip link; ip -6 route show table all; ip -6 rule; ip xfrm state; ip xfrm policy; nft list ruleset"


@pytest.mark.lab("badconfig")
def test_faulty_configurations_change_nothing(result):
    passed(result)
    assert result["figures"]["refused"] >= 30


@pytest.mark.lab("clean")
def test_kernel_is_as_before(result):
    passed(result)
    assert result["figures"]["held"] > 0


@pytest.mark.lab("tunnel")
def test_tunnel(result):
    passed(result)
    assert result["figures"]["spoofed"]["came"] == ["honest"]


@pytest.fixture(params=["home-agent", "mobile-node"])
def on_this_kernel(request, tmp_path):
    """Runs mip6d in an empty name space of the running kernel, with words before it; (status, output, has it changed
    anything?). The interfaces of the examples do not exist there, so it ends in any case."""
    if not have_daemons():
        pytest.skip(f"{BUILD} has no mip6d")
    if os.geteuid() != 0:
        pytest.skip("needs root")
    with open(os.path.join(ROOT, "examples", request.param + ".conf")) as f:
        text = f.read().replace("/var/lib/mip6d", f"{tmp_path}/state").replace("/etc/mip6d/ipsec.keys", f"{tmp_path}/keys")
    keys = tmp_path / "keys"
    keys.touch(0o600)
    keys.write_text(subprocess.run([os.path.join(BUILD, "ctl", "mip6ctl"), "ipsec", "keys", "2001:db8:1::100", "2001:db8:1::1000"],
                                   check=True, stdout=subprocess.PIPE, text=True).stdout)
    conf = tmp_path / "mip6d.conf"
    conf.write_text(text + f'\ncontrol = {{ socket = "{tmp_path}/socket"; }};\n')

    def run(*words):
        script = f'{{ {LOOK}; }} >{tmp_path}/before 2>&1; "$@" >{tmp_path}/out 2>&1; echo $? >{tmp_path}/status; ' \
                 f'{{ {LOOK}; }} >{tmp_path}/after 2>&1'
        subprocess.run(["unshare", "-n", "sh", "-c", script, "sh", *words, os.path.join(BUILD, "mip6d", "mip6d"),
                        "-c", str(conf), "-f"], check=True, timeout=60)
        changed = (tmp_path / "before").read_text() != (tmp_path / "after").read_text()
        return int((tmp_path / "status").read_text()), (tmp_path / "out").read_text(), \
            changed or (tmp_path / "state").exists()
    return run


def test_what_the_kernel_lacks_is_named(on_this_kernel):
    status, output, changed = on_this_kernel()
    assert status == 1 and not changed, output
    lacking = re.findall(r"this machine lacks (\S+),? needed for .+; .+", output)
    if not lacking:
        pytest.skip("this kernel has everything")
    assert len(lacking) == len(output.splitlines()), output
    assert all(name.startswith("CONFIG_") for name in lacking), output


def test_missing_capabilities_are_named(on_this_kernel):
    status, output, changed = on_this_kernel("setpriv", "--bounding-set=-net_admin,-net_raw",
                                             "--inh-caps=-net_admin,-net_raw")
    assert status == 1 and not changed, output
    assert "lacks CAP_NET_ADMIN" in output and "lacks CAP_NET_RAW" in output and "CONFIG" not in output
