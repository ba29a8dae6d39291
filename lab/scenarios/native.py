"""lab/run --native, tried on the one kernel of which we know that it has everything: the lab's own."""

import json
import os

from homebound_lab.scenario import LAB, Key

TITLE = "another scenario in name spaces of the lab kernel, as --native does on a host"
KEYS = {"scenario": Key("selftest", "which one, with its default keys")}
LIMIT = 300
IPSEC = False


def run(lab):
    out = lab.path("native")
    os.makedirs(out, exist_ok=True)
    environment = {**os.environ, "HOMEBOUND_CACHE": os.path.dirname(lab.tools["flow"]), "HOMEBOUND_BUILD": lab.build}
    saved, os.environ = os.environ, environment
    try:
        lab.host("witness")  # a name space that is not the inner run's, and must stay
        text = lab.command([os.path.join(LAB, "run"), "--native", "--out", out, lab.keys.scenario], check=False)
    finally:
        os.environ = saved
    with open(lab.path("native.txt"), "w") as f:
        f.write(text)
    left = sorted(os.listdir("/run/netns"))
    lab.check(left == ["witness"], f"name spaces left behind: {left}")


def judge(e):
    with open(e.path("native/result.json")) as f:
        result = json.load(f)
    for failure in result["failures"]:
        e.check(False, f"{e.keys.scenario}: {failure}")
    e.figures.update(result["figures"])
