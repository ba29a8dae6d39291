"""The lab is itself to be trusted: simulated time is exact, runs repeat, real time and --native work too."""

import json
import os
import subprocess
import sys
import tempfile
import time

import pytest
from conftest import ROOT, passed

sys.path.insert(0, os.path.join(ROOT, "lab"))

from homebound_lab import cli, kernel  # noqa: E402


@pytest.mark.lab("selftest")
@pytest.mark.parametrize("words", [("rtt=0",), ("rtt=100",), ("rtt=500",)])
def test_delays_are_exact(result, words):
    passed(result)
    rtt = int(words[0].split("=")[1])
    away = [t for place in result["figures"]["ping_ms"][1:] for t in place]
    assert away and all(rtt <= t <= rtt + 0.5 for t in away)
    assert result["figures"]["sent"] == result["figures"]["received"]


@pytest.mark.lab("selftest", "router=instant")
def test_instant_router(result):
    passed(result)


@pytest.mark.lab("--real-time", "selftest")
def test_real_time(result):
    passed(result)
    assert result["time"] == "real"


@pytest.mark.lab("native")
def test_native_inside_the_lab_kernel(result):
    passed(result)


@pytest.mark.lab("selftest", "seed=3-4", "seconds=1")
def test_range_of_seeds(result):
    passed(result)
    assert [run["seed"] for run in result["runs"]] == [3, 4]
    for seed in (3, 4):
        assert os.path.exists(f"{result['out']}/seed-{seed}/home.pcapng")


@pytest.mark.lab("selftest")
@pytest.mark.parametrize("words", [("rtt=100",)])
def test_files_of_a_run(result, words):
    for link in ("home", "link1", "link2", "core-ha", "core-ar1", "core-ar2", "core-cn", "mn-wlan0"):
        out = subprocess.run(["capinfos", "-Tmc", f"{result['out']}/{link}.pcapng"], stdout=subprocess.PIPE, text=True)
        assert out.returncode == 0 and int(out.stdout.splitlines()[1].split(",")[-1].strip('"')) > 0
    with open(f"{result['out']}/result.json") as f:
        assert {"scenario", "keys", "verdict", "failures", "figures"} <= set(json.load(f))


@pytest.mark.parametrize("words, text", [
    (["nosuch"], "there is no scenario nosuch"),
    (["selftest", "rtt=fast"], "a number is wanted"),
    (["selftest", "colour=red"], "no such key"),
    (["selftest", "router=cisco"], "one of radvd, instant"),
    (["selftest", "seed=x"], "seed=1-200"),
])
def test_wrong_words(words, text):
    p = subprocess.run([os.path.join(ROOT, "lab", "run"), *words], stderr=subprocess.PIPE, text=True)
    assert p.returncode == 2 and text in p.stderr


def test_nothing_is_written_outside(tmp_path):
    """The machine may write where it likes; on the host nothing arrives except in the directory of results."""
    places = ["/run/netns", "/etc", "/var/log"]
    before = [sorted(os.listdir(p)) if os.path.isdir(p) else None for p in places]
    leavings = scratch_directories()
    subprocess.run([os.path.join(ROOT, "lab", "run"), "--out", str(tmp_path), "selftest", "seconds=1"],
                   stdout=subprocess.DEVNULL, check=True)
    assert [sorted(os.listdir(p)) if os.path.isdir(p) else None for p in places] == before
    def left():
        return [n for n in scratch_directories() - leavings if not still_running(n)]

    deadline = time.monotonic() + 10                       # another lab that is just cleaning up
    while left() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left()


def scratch_directories():
    return {n for n in os.listdir(tempfile.gettempdir()) if n.startswith("homebound-uml.")}


def still_running(name):
    """Another lab's scratch directory (tests run side by side) has a machine that names it."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline") as f:
                if name in f.read():
                    return True
        except OSError:
            pass
    return False


def machine(script):
    """Stands for a lab machine: what matters here is only that it does not end."""
    return lambda *_: ["bash", "-c", script]


def test_a_machine_that_halts_and_does_not_end(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel, "SECONDS_AFTER_IT", 0.2)
    monkeypatch.setattr(kernel, "command", machine(f"echo {{}} >{tmp_path}/inside.json; echo reboot: System halted; "
                                                   "while :; do :; done"))
    kernel.run(str(tmp_path), simulated=False, limit=30)


@pytest.mark.parametrize("simulated, starts", [(False, 2), (True, 1)])
def test_a_machine_that_hangs(tmp_path, monkeypatch, simulated, starts):
    monkeypatch.setattr(kernel, "command", machine(f"echo start >>{tmp_path}/starts; while :; do :; done"))
    with pytest.raises(kernel.Hung, match="still running after 0 s"):
        cli.boot({"out": str(tmp_path), "simulated": simulated}, limit=0.3)
    assert (tmp_path / "starts").read_text() == "start\n" * starts
