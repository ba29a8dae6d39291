"""The commands lab/run and lab/shell."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from . import evidence, kernel, native, scenario, tools
from .scenario import LAB, BadScenario

REPOSITORY = os.path.dirname(LAB)


def prepare(args, stage):
    """Checks the words, makes the directory of results, writes job.json; returns (module, job)."""
    module = scenario.load(args.scenario)
    keys, seeds = scenario.read_keys(module, args.words)
    out = os.path.realpath(args.out or tempfile.mkdtemp(prefix=f"homebound-{args.scenario}."))
    os.makedirs(out, exist_ok=True)
    for stale in os.listdir(out):  # results of an earlier run there
        if stale.endswith((".pcapng", ".json", ".log", ".csv", ".conf", ".txt", ".new")):
            os.unlink(os.path.join(out, stale))
        elif stale.startswith("seed-"):
            shutil.rmtree(os.path.join(out, stale))
    job = {"scenario": args.scenario, "keys": keys, "seeds": seeds, "out": out, "stage": stage,
           "simulated": stage == "run" and not (args.real_time or args.native),
           "build": os.path.realpath(os.environ.get("HOMEBOUND_BUILD") or os.path.join(REPOSITORY, "build")),
           "tools": tools.build(), "run_dir": "/run/homebound", "prefix": ""}
    return module, job


def write_job(job):
    with open(os.path.join(job["out"], "job.json"), "w") as f:
        json.dump(job, f, indent=1)


def show_list():
    for name in scenario.names():
        module = scenario.load(name)
        print(f"{name:12} {module.TITLE}")
        for key, k in module.KEYS.items():
            default = {True: "yes", False: "no"}.get(k.default, k.default) if isinstance(k.default, bool) else k.default
            choices = f" ({', '.join(map(str, k.choices))})" if k.choices else ""
            print(f"    {key}={default}{choices}: {k.help}")
    print("\nEvery scenario also knows seed=N and seed=FIRST-LAST.")


def short(value):
    if isinstance(value, list):
        numbers = [v for v in value if isinstance(v, (int, float))]
        if numbers and len(value) > 4:
            missing = f", {len(value) - len(numbers)} missing" if len(numbers) < len(value) else ""
            return f"{len(value)} values, {min(numbers):g} to {max(numbers):g}{missing}"
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(value)


def show_result(result, out):
    print(f"\n{result['scenario']}: {result['verdict'].upper()}")
    for name, value in result["figures"].items():
        print(f"  {name}: {short(value)}")
    for failure in result["failures"][:20]:
        print(f"  - {failure}")
    if len(result["failures"]) > 20:
        print(f"  - and {len(result['failures']) - 20} more")
    print(f"  files: {out}")


def broken(job, text):
    return {"scenario": job["scenario"], "keys": {**job["keys"], "seed": job["seeds"][0]}, "verdict": "fail",
            "failures": [text], "figures": {}}


def boot(job, limit):
    """In real time a User-Mode Linux machine hangs now and then, whatever runs in it: it is started once more."""
    try:
        kernel.run(job["out"], job["simulated"], limit)
    except kernel.Hung as e:
        if job["simulated"]:
            raise
        print(f"{e}\nonce more:", flush=True)
        kernel.run(job["out"], job["simulated"], limit)


def run(argv=None):
    parser = argparse.ArgumentParser(prog="lab/run", description="Run a scenario in the lab.")
    parser.add_argument("--list", action="store_true", help="list the scenarios and their keys")
    parser.add_argument("--real-time", action="store_true", help="let time pass as it does outside")
    parser.add_argument("--native", action="store_true", help="in name spaces of the running kernel")
    parser.add_argument("--out", metavar="DIR", help="directory of results (default: a new one in /tmp)")
    parser.add_argument("--keep", action="store_true", help="keep the directory of results even when all is well "
                        "and --out is not given")
    parser.add_argument("scenario", nargs="?")
    parser.add_argument("words", nargs="*", metavar="key=value")
    args = parser.parse_args(argv)
    if args.list:
        show_list()
        return 0
    if not args.scenario:
        parser.error("which scenario? See lab/run --list")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        module, job = prepare(args, "run")
    except (BadScenario, tools.ToolError) as e:
        print(f"lab/run: {e}", file=sys.stderr)
        return 2
    out = job["out"]
    started = time.monotonic()
    try:
        if args.native:
            native.run(job)
        else:
            write_job(job)
            limit = getattr(module, "LIMIT", 120) * (1 if job["simulated"] else 3) + \
                getattr(module, "LIMIT_PER_SEED", 20) * (len(job["seeds"]) - 1)
            boot(job, limit)
        with open(os.path.join(out, "inside.json")) as f:
            report = json.load(f)
        job["seconds"] = {"running": round(time.monotonic() - started, 2)}
        result = evidence.judge(job, report)
    except (kernel.BootFailed, native.CannotRun) as e:
        result = broken(job, str(e))
    except KeyboardInterrupt:
        print("\ninterrupted; the lab has been taken down", file=sys.stderr)
        return 130
    evidence.write(out, result)
    show_result(result, out)
    if result["verdict"] == "pass" and not args.out and not args.keep:
        shutil.rmtree(out)
        print("  (removed, because all is well and neither --out nor --keep was given)")
    return 0 if result["verdict"] == "pass" else 1


def shell(argv=None):
    parser = argparse.ArgumentParser(prog="lab/shell", description="Set up a scenario and hand over a prompt.")
    parser.add_argument("--out", metavar="DIR", help="directory of logs (default: a new one in /tmp)")
    parser.add_argument("scenario")
    parser.add_argument("words", nargs="*", metavar="key=value")
    args = parser.parse_args(argv)
    try:
        _, job = prepare(args, "shell")
    except (BadScenario, tools.ToolError) as e:
        print(f"lab/shell: {e}", file=sys.stderr)
        return 2
    write_job(job)
    try:
        kernel.interactive(job["out"])
    except kernel.BootFailed as e:
        print(f"lab/shell: {e}", file=sys.stderr)
        return 1
    return 0
