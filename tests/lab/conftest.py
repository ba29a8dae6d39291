"""Tests of the lab: each is marked with the run whose result it judges.

    @pytest.mark.lab("handover", "rtt=100")
    def test_...(result): ...

All runs of the selected tests are started when the tests are collected, as many at a time as there are CPUs (a lab
machine keeps one busy), and a test waits for its own. `result` is result.json; result["out"] is its directory.
With --durations=N the N runs that cost most are listed: pytest itself only knows how long a test waited for one.
Tests of scenarios that need the daemons are skipped when there is no build (HOMEBOUND_BUILD, or build/ in the tree).
"""

import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("HOMEBOUND_BUILD") or os.path.join(ROOT, "build")
WITHOUT_DAEMONS = ("selftest", "native")

pool = None
runs = {}
costs = {}  # CPU seconds of the runs that have ended


def pytest_configure(config):
    config.addinivalue_line("markers", "lab(scenario, *words): the lab run whose result the test judges")


def words_of(item):
    mark = item.get_closest_marker("lab")
    if mark is None:
        return None
    extra = item.callspec.params.get("words", ()) if hasattr(item, "callspec") else ()
    return (*mark.args, *extra)


def have_daemons():
    return os.path.exists(os.path.join(BUILD, "mip6d", "mip6d"))


def lab_run(words, out):
    p = subprocess.Popen([os.path.join(ROOT, "lab", "run"), "--out", out, *words], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         env={**os.environ, "HOMEBOUND_BUILD": BUILD})
    with p.stdout:
        text = p.stdout.read()
    _, status, used = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    costs[words] = used.ru_utime + used.ru_stime
    if not os.path.exists(os.path.join(out, "result.json")):
        raise RuntimeError(f"lab/run {' '.join(words)}: exit {p.returncode}\n{text}")
    with open(os.path.join(out, "result.json")) as f:
        result = json.load(f)
    return {**result, "out": out, "status": p.returncode, "text": text}


def pytest_collection_finish(session):
    global pool
    wanted = []
    for item in session.items:
        words = words_of(item)
        if words and words not in wanted and (have_daemons() or scenario_of(words) in WITHOUT_DAEMONS):
            wanted.append(words)
    if not wanted or session.config.option.collectonly:
        return
    subprocess.run([os.path.join(ROOT, "lab", "kernel", "build")], check=True, stdout=subprocess.DEVNULL)
    base = session.config._tmp_path_factory.mktemp("lab")
    pool = ThreadPoolExecutor(max_workers=os.cpu_count())
    for words in wanted:
        out = base / re.sub(r"[^\w=.-]+", "_", "-".join(words)).strip("_")
        runs[words] = pool.submit(lab_run, words, str(out))


def scenario_of(words):
    return next(w for w in words if not w.startswith("--"))


def pytest_terminal_summary(terminalreporter, config):
    if not config.option.durations or not costs:
        return
    terminalreporter.section(f"{len(costs)} lab runs, {sum(costs.values()):.0f} s of CPU time")
    for words in sorted(costs, key=costs.get, reverse=True)[:config.option.durations]:
        terminalreporter.write_line(f"{costs[words]:8.1f} s  {' '.join(words)}")


def pytest_sessionfinish(session):
    if pool:
        pool.shutdown(wait=False, cancel_futures=True)


@pytest.fixture
def result(request):
    words = words_of(request.node)
    if words not in runs:
        pytest.skip(f"{BUILD} has no mip6d")
    return runs[words].result()


def passed(result):
    """The assertion of every test: the scenario's own assertions hold, and the exit status says so."""
    assert result["failures"] == [], f"see {result['out']}"
    assert result["verdict"] == "pass" and result["status"] == 0
