"""Every faulty configuration of tests/golden/bad is given to the real daemon, on a host that has what it names.

The daemon must refuse each one with status 1 and the lines that belong to it, and must not have touched the kernel.
"""

import os
import subprocess

from homebound_lab import snapshot
from homebound_lab.scenario import LAB

TITLE = "faulty configurations: refused with a reason, the kernel untouched"
KEYS = {}
IPSEC = False
LIMIT = 120
FOLDER = os.path.join(os.path.dirname(LAB), "tests", "golden", "bad")


def setup(lab):
    host, other = lab.host("host", static=False), lab.host("other")
    for device in ("eth0", "wlan0", "wwan0", "home0"):
        lab.cable(host, device, other, "to-" + device)
        host.ip(f"link set {device} up\n")
        other.ip(f"link set to-{device} up\n")
    host.ip("addr add 2001:db8:1::1000/64 dev home0 nodad\n")
    return host


def run(lab):
    host = setup(lab)
    lab.until(lambda: sum(a[0].startswith("fe80") and not a[3] & 0x40 for a in host.addresses()) == 4, 10,
              "link-local addresses")
    before = snapshot.take(host)
    lab.facts["refused"] = 0
    for name in sorted(n for n in os.listdir(FOLDER) if n.endswith(".conf")):
        p = host.popen([os.path.join(lab.build, "mip6d", "mip6d"), "-c", name, "-f"], cwd=FOLDER,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, err = p.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            p.kill()
            out, err = p.communicate()
        with open(os.path.join(FOLDER, name[:-5] + ".err"), "rb") as f:
            expected = f.read()
        good = lab.check(p.returncode == 1, f"{name}: ended with {p.returncode}, not 1")
        good = lab.check(err == expected and not out, f"{name}: said {(err + out).decode(errors='replace')}") and good
        lab.facts["refused"] += bool(good)
    left = snapshot.difference(before, snapshot.take(host))
    lab.check(not left, f"the kernel was touched:\n{left}")


def judge(e):
    e.figures["refused"] = e.facts["refused"]
    e.check(e.figures["refused"] >= 30, "fewer than thirty files were refused")
