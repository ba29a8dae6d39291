"""Judging a finished run, from its captures, logs and facts, outside the lab machine."""

import json
import os
import time
import traceback
from concurrent.futures import ProcessPoolExecutor

from . import packets, scenario, unwrap, watcher


class Evidence:
    """What a scenario's judge(evidence) works with."""

    def __init__(self, out, keys, seed, facts, failures, simulated=True):
        self.out, self.facts, self.simulated = out, facts, simulated
        self.keys = scenario.as_namespace(keys, seed)
        self.seed = seed
        self.failures = list(failures)
        self.figures = {}
        self.opened = False  # there are copies of the captures without ESP
        self.known = {}  # streams of captures that have been read

    def path(self, name):
        if self.opened and name.endswith(".pcapng"):
            return os.path.join(self.out, unwrap.DIRECTORY, name)
        return os.path.join(self.out, name)

    def streams(self, link):
        """Sightings of the flow tool's packets on a link, read once."""
        path = self.path(link + ".pcapng")
        if path not in self.known:
            self.known[path] = packets.streams(path)
        return self.known[path]

    def wire(self, name):
        """A capture as it is."""
        return os.path.join(self.out, name)

    def check(self, holds, text):
        if not holds:
            self.failures.append(text)
        return holds

    def near(self, name, values, wanted, tolerance, early=1):
        """Each of the values (ms) is what is wanted of it, or at most `tolerance` more, or `early` less."""
        for number, (value, want) in enumerate(zip(values, wanted), 1):
            if value is not None:
                self.check(want - early <= value <= want + tolerance,
                           f"{name}: {value:g} ms at move {number}, {want:g} ms wanted (and at most {tolerance:g} more)")


def judge_one(argument):
    name, keys, run, simulated = argument
    evidence = Evidence(run["out"], keys, run["seed"], run.get("facts", {}), run.get("failures", []), simulated)
    if run.get("error"):
        evidence.failures.append(f"the run broke: {run['error']} (see {run['out']}/error.txt)")
    try:
        unwrap.unwrap_all(evidence)
        scenario.load(name).judge(evidence)
        watcher.judge(evidence)
    except Exception as e:
        if not run.get("error"):
            evidence.failures.append(f"judging broke: {type(e).__name__}: {e}")
            with open(evidence.path("judge-error.txt"), "w") as f:
                traceback.print_exc(file=f)
    return {"seed": run["seed"], "verdict": "fail" if evidence.failures else "pass",
            "failures": evidence.failures, "figures": evidence.figures}


def merged(figures):
    """Figures of several runs as one: lists are joined, numbers collected in a list."""
    together = {}
    for one in figures:
        for name, value in one.items():
            if isinstance(value, list):
                together.setdefault(name, []).extend(value)
            elif isinstance(value, (int, float)) or value is None:
                together.setdefault(name, []).append(value)
    return together


def judge(job, report):
    """The contents of result.json."""
    started = time.monotonic()
    runs = [(job["scenario"], job["keys"], run, job["simulated"]) for run in report["runs"]]
    if len(runs) > 1:
        with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
            judged = list(pool.map(judge_one, runs, chunksize=4))
    else:
        judged = [judge_one(run) for run in runs]
    failures = [report["error"]] if report["error"] else []
    ranged = len(job["seeds"]) > 1
    for one in judged:
        failures += [f"seed {one['seed']}: {f}" if ranged else f for f in one["failures"]]
    if len(judged) != len(job["seeds"]):
        failures.append(f"{len(judged)} of {len(job['seeds'])} runs were made")
    result = {
        "scenario": job["scenario"],
        "keys": {**job["keys"], "seed": f"{job['seeds'][0]}-{job['seeds'][-1]}" if ranged else job["seeds"][0]},
        "time": "simulated" if job["simulated"] else "real",
        "verdict": "fail" if failures else "pass",
        "failures": failures,
        "figures": merged([one["figures"] for one in judged]) if ranged else (judged[0]["figures"] if judged else {}),
        "seconds": {**job.get("seconds", {}), "judging": round(time.monotonic() - started, 2)},
    }
    if ranged:
        result["runs"] = judged
    return result


def write(out, result):
    with open(os.path.join(out, "result.json.new"), "w") as f:
        json.dump(result, f, indent=1)
        f.write("\n")
    os.rename(os.path.join(out, "result.json.new"), os.path.join(out, "result.json"))
