#!/usr/bin/python3
"""Runs inside the lab machine (or, with --native, on the host): the scenario's run() once per seed.

Its argument is the directory of results; job.json there says what to do, inside.json is its report."""

import json
import os
import subprocess
import sys
import traceback

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from homebound_lab import capture, scenario  # noqa: E402
from homebound_lab.lab import Lab  # noqa: E402


def queue_drops():
    """Packets that the machine's kernel dropped between a cable and its receiver: all hosts share that queue, so such
    a loss is the lab's fault and nobody else's (/proc/net/softnet_stat, second column)."""
    with open("/proc/net/softnet_stat") as f:
        return sum(int(line.split()[1], 16) for line in f)


def one_run(job, module, seed):
    """Returns the report of one seed: where its files are, facts, failures, and an error if the lab broke."""
    ranged = len(job["seeds"]) > 1
    out = os.path.join(job["out"], f"seed-{seed}") if ranged else job["out"]
    os.makedirs(out, exist_ok=True)
    lab = Lab(job, out, scenario.as_namespace(job["keys"], seed), seed)
    report = {"seed": seed, "out": out, "error": None}
    drops = queue_drops()
    try:
        with lab:
            try:
                module.run(lab)
            finally:
                capture.stop(lab)
    except Exception as e:
        report["error"] = f"{type(e).__name__}: {e}"
        with open(os.path.join(out, "error.txt"), "w") as f:
            traceback.print_exc(file=f)
        lab.say(f"error: {e}")
    lab.facts["queue_drops"] = queue_drops() - drops
    report.update(facts=lab.facts, failures=lab.failures)
    if ranged:
        lab.say(f"seed {seed}: " + ("error" if report["error"] else f"{len(lab.failures)} failures so far"))
    return report


def shell(job, module):
    """Set up what the scenario sets up, then hand the terminal to the user."""
    lab = Lab(job, job["out"], scenario.as_namespace(job["keys"], job["seeds"][0]), job["seeds"][0])
    with lab:
        (getattr(module, "setup", None) or module.run)(lab)
        rc = os.path.join(job["run_dir"], "bashrc")
        with open(rc, "w") as f:
            f.write(f"""on() {{ local h=$1; shift; ip netns exec {lab.prefix}$h "$@"; }}
PS1='lab# '
cd {job["out"]}
echo "Hosts: {' '.join(lab.hosts)}. Run a command on one: on mn ip -6 addr"
echo "Move the node: move home|link1|link2"
move() {{ ip -n {lab.prefix}air link set p-wlan0 down && sleep 0.05 && ip -n {lab.prefix}air link set p-wlan0 master $1 up; }}
ctl() {{ local h=$1; shift; on $h {job["build"]}/ctl/mip6ctl -s {job["run_dir"]}/mip6d-$h.sock "$@"; }}
echo "Ask a daemon: ctl mn status, ctl ha bindings. Logs are in {job["out"]}. Leave with exit."
""")
        subprocess.call(["setsid", "--ctty", "--wait", "bash", "--rcfile", rc, "-i"])


def main(out):
    with open(os.path.join(out, "job.json")) as f:
        job = json.load(f)
    report = {"runs": [], "error": None}
    try:
        module = scenario.load(job["scenario"])
        if job["stage"] == "shell":
            return shell(job, module)
        for seed in job["seeds"]:
            report["runs"].append(one_run(job, module, seed))
    except BaseException as e:
        report["error"] = f"{type(e).__name__}: {e}"
        traceback.print_exc()
        if isinstance(e, KeyboardInterrupt):
            raise
    finally:
        temporary = os.path.join(out, "inside.json.new")
        with open(temporary, "w") as f:
            json.dump(report, f, indent=1)
        os.rename(temporary, os.path.join(out, "inside.json"))


if __name__ == "__main__":
    main(sys.argv[1])
