"""The account of scenario vcm: a packet that vanished has a reason only where the captures show it, and else is lost."""

import os
import struct
import sys
from types import SimpleNamespace

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lab"))

from homebound_lab import headers, layers, packets  # noqa: E402
from homebound_lab.intranet import LINKS, addresses, delays  # noqa: E402
from homebound_lab.vpn_account import Account  # noqa: E402

AT = addresses(1)
ONE, TWO = (packets.octets(AT.internal[n]) for n in ("mn1", "mn2"))
HOME, AGENT, GATEWAY = packets.octets(AT.home["mn1"]), packets.octets(AT.home_agent), packets.octets(AT.gateway)
OLD, NEW = packets.octets("2001:db8:a1::7"), packets.octets("2001:db8:a2::7")
PEER = packets.octets("2001:db8:a4::7")
CORE, OTHERS = b"core..", b"other."
FLOW = {("mn1", "mn2"): 1, ("mn2", "mn1"): 2}


def seen(time, link, source, destination, inner, proto, text, mac, spis=(1,)):
    outer = headers.Packet(source, destination, b"", b"", headers.IPV6, 40, True)
    return layers.Seen(time, link, outer, outer, b"", spis, *inner, proto, text, mac)


def payload(time, link, source, destination, down=False, mac=CORE):
    pair = ("mn2", "mn1") if down else ("mn1", "mn2")
    text = bytes(8) + packets.MARK + struct.pack(">II", FLOW[pair], 0)
    return seen(time, link, source, destination, (TWO, ONE) if down else (ONE, TWO), headers.UDP, text, mac)


def update(time, link, care_of, mac=CORE, to=AGENT):
    return seen(time, link, care_of, to, (HOME, to), headers.MH, bytes((59, 1, 5, 0)) + bytes(8), mac, ())


def answer(time, care_of):
    return seen(time, "core-ha", AGENT, care_of, (AGENT, HOME), headers.MH, bytes((59, 1, 6, 0)) + bytes(8), OTHERS, ())


def move(origin, place, up, down):
    return {"node": "mn1", "from": origin, "to": place, "up": up, "down": down}


LEAVING = [move("office", "link1", 8, 10)]
MOVING = [move("office", "link1", 0, 2), move("link1", "link2", 8, 10)]
KILLED = [{"time": 9, "what": "killed", "whom": "mn1"}, {"time": 11, "what": "started", "whom": "mn1"}]


def reason(moves, *sightings, sent=None, events=(), down=False, embodiment=1):
    """Of the one packet that mn1 (down: mn2) sent; `lost` is the link of what the core lost."""
    pair = ("mn2", "mn1") if down else ("mn1", "mn2")
    links = {link: [] for link in ("office", "servers", "core-sg", "core-ha", *LINKS)}
    lost = []
    for s in sorted(sightings, key=lambda s: s.time):
        (lost if s.link == "lost" else links[s.link]).append(s)
    prefixes = {link: packets.network(row[3]) for link, row in LINKS.items()}
    times = [s.time for s in sightings if layers.flow(s)]
    log = SimpleNamespace(flow=FLOW[pair], missing=[0], time_of=lambda n: sent or min(times))
    run = SimpleNamespace(
        at=AT, delays=delays(100), seen=links, lost=lost, logs={pair: log}, in_prefix=prefixes,
        k=SimpleNamespace(embodiment=embodiment, overlap=True), e=SimpleNamespace(facts={"moves": moves, "events": list(events)}),
        macs_of=lambda host: {CORE}, care_of=lambda name, address: next((n for n, fits in prefixes.items() if fits(address)), None))
    (found,) = Account(run, [pair]).reasons.values()
    return found


def test_core():
    assert reason(LEAVING, payload(11, "lost", OLD, AGENT)) == "lost_by_core"
    assert reason(LEAVING, payload(11, "link1", OLD, AGENT)) == "lost"


@pytest.mark.parametrize("sightings, wanted", [
    ((update(10.01, "lost", OLD),), "lost_on_old_link"),
    ((), "lost"),  # nothing was lost: why did the gateway not know?
    ((update(10.01, "lost", OLD), update(10.4, "core-sg", OLD, to=GATEWAY)), "lost"),  # it knew
])
def test_gateway_to_the_office(sightings, wanted):
    packet = payload(10.5, "core-sg", PEER, GATEWAY, down=True)
    assert reason(LEAVING, packet, *sightings, down=True) == wanted


@pytest.mark.parametrize("started, time, wanted", [
    (None, 11.3, "lost"),  # duplicate address detection is over
    (11.5, 11.3, "lost_on_old_link"),  # the home agent did not live through it
    (11.5, 12.9, "lost_on_old_link"),  # it is at it again, since 12
    (11.5, 13.1, "lost"),
])
def test_neighbour_at_home(started, time, wanted):
    events = started and [{"time": 10.5, "what": "killed", "whom": "sg"}, {"time": started, "what": "started", "whom": "sg"}]
    packet = payload(time, "office", PEER, GATEWAY, down=True)
    updates = update(10.1, "core-sg", OLD), update(12, "core-sg", OLD)
    assert reason(LEAVING, packet, *updates, events=events or (), down=True, embodiment=2) == wanted


def test_under_way_to_the_office():
    assert reason(LEAVING, payload(10.05, "core-sg", PEER, GATEWAY, down=True), down=True) == "lost_on_old_link"
    assert reason(LEAVING, payload(9.5, "core-sg", PEER, GATEWAY, down=True), down=True) == "lost"
    for time, wanted in ((10.0952, "lost_on_old_link"), (10.102, "lost")):  # one link at a time: the gateway hears of it 75 ms later
        later = [move("office", "link1", 10.02, 10)]
        assert reason(later, payload(time, "core-sg", PEER, GATEWAY, down=True), down=True) == wanted


@pytest.mark.parametrize("sightings, events, wanted", [
    ((update(8.01, "lost", NEW),), (), "lost_on_old_link"),
    ((), KILLED, "lost_on_old_link"),
    ((), (), "lost"),
    ((update(8.01, "lost", NEW), update(9.9, "link4", NEW)), (), "lost"),  # the peer had been told
])
def test_peer_to_the_last_link(sightings, events, wanted):
    packet = payload(10.5, "link4", PEER, OLD, down=True)
    assert reason(MOVING, packet, *sightings, events=events, down=True) == wanted


@pytest.mark.parametrize("time, sightings, wanted", [
    (10.5, (update(10.01, "lost", OLD),), "lost_unregistered"),
    (10.5, (), "lost"),
    (9.5, (update(8.01, "lost", OLD),), "lost"),  # it still had the other link
    (10.5, (update(10.01, "lost", OLD), answer(10.3, OLD)), "lost"),  # it was registered
])
def test_home_agent_without_a_binding(time, sightings, wanted):
    assert reason(LEAVING, payload(time, "core-ha", OLD, AGENT), *sightings) == wanted


@pytest.mark.parametrize("moves, sent, wanted", [
    (LEAVING, 10, "lost_on_old_link"),  # the office's link is used as long as it is there
    (LEAVING, 9.99, "lost"),
    (LEAVING, 10.01, "lost"),
    (MOVING, 10, "lost"),  # with two links outside nothing is given to the one that goes
])
def test_as_the_link_went(moves, sent, wanted):
    packet = payload(1, "lost", OLD, AGENT)  # of another place
    assert reason(moves, packet._replace(text=b""), sent=sent) == wanted


def test_dead_sender():
    packet = payload(1, "lost", OLD, AGENT)  # of another place, for the time alone
    assert reason(LEAVING, packet._replace(text=b""), sent=10.5, events=KILLED) == "lost_while_dead"
    assert reason(LEAVING, packet._replace(text=b""), sent=9.5, events=KILLED) == "lost"
    assert reason(LEAVING, packet._replace(text=b""), sent=11.5, events=KILLED) == "lost"
    assert reason(LEAVING, packet._replace(text=b""), sent=10.5) == "lost"


def test_started_inside():
    reply = seen(11.03, "office", b"", b"", (packets.octets(AT.vcm), ONE), headers.UDP, struct.pack(">HH", 27961, 27961), OTHERS)
    for sent, wanted in ((11.02, "lost_until_proven"), (11.1, "lost")):
        assert reason([], reply, sent=sent, events=KILLED) == wanted
