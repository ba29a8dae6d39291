"""The system side alone, in the lab's kernel: inside.py drives it through struct ha_ops, struct mn_ops and its sockets
(drive.c) and looks at what the kernel and the wire make of it. One boot serves all tests."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
PACKAGES = "libnl-3.0 libnetfilter_queue libmnl libnftables libcrypto libevent_core libcap-ng".split()
LIMIT = 240  # s; a boot and all tests take less than 60

with open(os.path.join(HERE, "inside.py")) as f:
    NAMES = re.findall(r"^def test_(\w+)\(", f.read(), re.M)


def sources():
    for folder in ("lib", "ipsec-glue", "mip6d/sys"):
        for name in sorted(os.listdir(os.path.join(TOP, folder))):
            if name.endswith(".c"):
                yield os.path.join(TOP, folder, name)
    for name in ("loop.c", "nft_load.c", "privileges.c"):
        yield os.path.join(TOP, "common", name)


def build(out, main):
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", *PACKAGES], check=True, stdout=subprocess.PIPE,
                           text=True).stdout.split()
    program = os.path.join(out, main[:-2])
    subprocess.run(["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-g", "-I" + TOP, "-I" + TOP + "/include",
                    *sources(), os.path.join(HERE, main), "-o", program, *flags], check=True)
    return program


def run_machine(words, log, env):
    """False when the machine hangs; nothing of it is left then."""
    p = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, start_new_session=True)
    try:
        p.wait(timeout=LIMIT)
        return True
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        p.wait()
        return False


def boot(program, out, inside="inside.py"):
    kernel = subprocess.run([os.path.join(TOP, "lab", "kernel", "build")], check=True, stdout=subprocess.PIPE,
                            text=True).stdout.strip()
    env = {k: v for k, v in os.environ.items() if k not in ("TMPDIR", "TMP", "TEMP")}
    for _ in range(2):  # in real time a User-Mode Linux machine rarely, and whatever runs in it, spins for ever
        scratch = tempfile.mkdtemp(prefix="homebound-uml.")
        try:
            with open(os.path.join(out, "console.log"), "w") as log:
                if run_machine([kernel, "mem=1024M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro",
                                f"init={HERE}/init", "con=null", "con0=fd:0,fd:1", "quiet", "loglevel=1",
                                f"umid=sys{os.getpid()}", f"uml_dir={scratch}", f"sys_out={out}",
                                f'sys_run="{HERE}/{inside} {program} {out}"'], log, env):
                    return
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    pytest.fail(f"the machine hung twice, see {out}/console.log")


@pytest.fixture(scope="session")
def report(tmp_path_factory):
    out = str(tmp_path_factory.mktemp("sys"))
    boot(build(out, "drive.c"), out)
    with open(os.path.join(out, "results.json")) as f:
        return {**json.load(f), "out": out}


@pytest.mark.parametrize("name", NAMES)
def test_system_side(report, name):
    assert name in report["results"], f"did not run, see {report['out']}/console.log"
    assert report["results"][name] is None, report["results"][name] + f"; see {report['out']}"


def test_cost_of_a_binding_does_not_grow(report):
    f = report["figures"]
    assert f["to_10500_us_each"] < 10 * f["first_1000_us_each"], f


def test_builders(tmp_path):
    """Needs no lab machine: the netlink messages as they are built."""
    subprocess.run([build(str(tmp_path), "builders.c")], check=True)
