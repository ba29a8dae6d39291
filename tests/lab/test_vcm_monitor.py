"""What is asked of the monitors of scenario vcm: a story as they tell it passes, and with any of its lines missing, in
another place, of another node, or without a time it does not."""

import json
import os
import sys
from types import SimpleNamespace

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lab"))

from homebound_lab import vpn_monitor  # noqa: E402
from homebound_lab.evidence import Evidence  # noqa: E402

ONE, TWO = "fd00:0:0:1::101", "fd00:0:0:1::102"
HOME = {ONE: "2001:db8:1::101", TWO: "2001:db8:1::102"}
SESSION = f"{ONE}  {TWO}  session 0f995b84522d3d77"


def node(own, peer, *ending):
    home = HOME[own]
    session = f"session            home {home}  peer {peer}  - session-%s"
    ends = {"ended": session % "ended: inside", "inside": f"place              home {home}  on wlan0  - inside: the manager has answered on this link"}
    return [f"place              home {home}  - outside: the link of the internal portion is gone",
            session % "offered: aes-gcm-128", session % "direct: direct path", *(ends[e] for e in ending)]


STORY = {
    "mn1": node(ONE, TWO, "ended", "inside"),
    "mn2": node(TWO, ONE, "inside", "ended"),
    "sg": [f"gateway-outside    internal {TWO}  home {HOME[TWO]}  - binding", f"gateway-outside    internal {ONE}  home {HOME[ONE]}  - binding",
           f"gateway-pair       internal {ONE}  peer {TWO}  - second-left", f"gateway-reported   internal {ONE}  peer {TWO}",
           f"gateway-inside     internal {TWO}  home {HOME[TWO]}  - traffic", f"gateway-inside     internal {ONE}  home {HOME[ONE]}  - traffic"],
    "vcm": [f"node-outside       {TWO}  {HOME[TWO]}  - gateway", f"node-outside       {ONE}  {HOME[ONE]}  - gateway",
            f"session-offered    {SESSION}  - symmetric", f"session-direct     {SESSION}  - aes-gcm-128",
            f"session-active     {SESSION}  by {ONE}", f"session-active     {SESSION}  by {TWO}",
            f"session-down       {SESSION}  packets 12, 11  by {TWO}  - inside", f"session-ended      {SESSION}  - inside",
            f"node-inside        {TWO}  {HOME[TWO]}  - node", f"session-gone       {SESSION}  - inside",
            f"node-inside        {ONE}  {HOME[ONE]}  - node"],
}
LINES = [(name, n) for name, lines in STORY.items() for n in range(len(lines))]


def as_json(time, line):
    told = dict(zip(vpn_monitor.ADDRESSES, vpn_monitor.IN_TEXT.findall(line)))
    return {"event": line.split()[0], "time": f"2026-01-01T{time}000Z", **told}


def failures(place, story, times=None, spoil=lambda objects: objects):
    for name, lines in story.items():
        told = [(times[n] if times else f"00:00:{n + 1:02d}.500", line) for n, line in enumerate(lines)]
        (place / f"monitor-{name}.log").write_text("".join(f"{time}  {line}\n" for time, line in told))
        objects = spoil([as_json(*x) for x in told])
        (place / f"monitor-{name}-j.log").write_text("".join(json.dumps(x) + "\n" for x in objects))
    e = Evidence(str(place), {}, 1, {}, [])
    e.keys = SimpleNamespace(embodiment=1)
    vpn_monitor.judge(e)
    return e.failures


def changed(name, n, *instead):
    lines = STORY[name]
    return {**STORY, name: [*lines[:n], *instead, *lines[n + 1:]]}


def test_as_told(tmp_path):
    assert failures(tmp_path, STORY) == []


@pytest.mark.parametrize("name, n", LINES)
def test_line_is_missing(tmp_path, name, n):
    assert failures(tmp_path, changed(name, n))


@pytest.mark.parametrize("name, n", LINES)
def test_of_another_node(tmp_path, name, n):
    line = STORY[name][n]
    two_of_one = line.replace(ONE, TWO) if ONE in line else line.replace(TWO, ONE)
    for a, b in (line, two_of_one), (HOME[ONE], HOME[TWO]), (HOME[TWO], HOME[ONE]):
        other = line.replace(a, b)
        assert other == line or failures(tmp_path, changed(name, n, other))


@pytest.mark.parametrize("name", STORY)
def test_last_is_first(tmp_path, name):
    assert failures(tmp_path, {**STORY, name: [STORY[name][-1], *STORY[name][:-1]]})


def test_times(tmp_path):
    rising = [f"00:00:{n:02d}.000" for n in range(1, 20)]
    assert not failures(tmp_path, STORY, rising)
    assert failures(tmp_path, STORY, ["00:00:00.000", *rising])
    assert failures(tmp_path, STORY, [rising[1], rising[0], *rising[2:]])


@pytest.mark.parametrize("key, value", [("time", "2026-01-01T00:00:00.000000Z"), ("event", "else"), ("a", "::1")])
def test_json_says_something_else(tmp_path, key, value):
    assert failures(tmp_path, STORY, spoil=lambda objects: [{**objects[0], key: value}, *objects[1:]])
    assert failures(tmp_path, STORY, spoil=lambda objects: objects[1:])


def test_what_should_not_be_there(tmp_path):
    assert failures(tmp_path, {**STORY, "mn1": [*STORY["mn1"], "bad-packet         home ::  - Binding Update without nonce indices"]})
