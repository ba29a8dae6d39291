"""A node walks home -> link 1 -> link 2 -> home with a UDP stream each way and a TCP session."""

from homebound_lab import capture, daemons, flows, handovers
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, Picture
from homebound_lab.scenario import Key

TITLE = "a node moves between three links under traffic; how long is it cut off?"
KEYS = {
    "rtt": Key(100, "round trip between the node and its home agent, in ms"),
    "moves": Key(20, "how many moves"),
    "uplink": Key("optimistic", "when the node's own traffic flows again: behind the binding update, or after "
                  "its acknowledgement", ("optimistic", "cautious")),
    "optimistic_dad": Key(True, "use care-of addresses while duplicate address detection runs"),
    "links": Key("one", "one interface, or two with both links up for a while", ("one", "two")),
    "router": Key("radvd", "who sends router advertisements", ("radvd", "instant")),
    "ra_ms": Key(1000, "longest interval of unsolicited advertisements, in ms"),
    "carrier": Key(True, "the node sees its carrier go and come"),
    "down_ms": Key(20, "how long there is no link at all, in ms"),
    "overlap_ms": Key(1000, "with links=two: how long both are up, in ms"),
    "interval_us": Key(1000, "interval of the UDP streams, in us"),
}
LIMIT = 240
TOLERANCE = 20
HOME_DAD = 1000  # ms: the home agent tests the home address before its first acknowledgement (RFC 6275 10.3.1)
WALK = ("home", "link1", "link2")


def setup(lab):
    k = lab.keys
    devices = ("wlan0", "wlan1") if k.links == "two" else ("wlan0",)
    net = Picture(lab, rtt_ms=k.rtt, interfaces=devices, router=k.router, ra_ms=k.ra_ms)
    capture.start(lab, net.capture_points())
    daemons.both_at_home(lab, net, uplink=k.uplink, optimistic_dad=k.optimistic_dad)
    lab.until(lambda: not net.cn.popen(["ping", "-n", "-c", "1", "-W", "1", HOME_ADDRESS], stdout=-3).wait(),
              20, "an answer from the home address")
    return net


def stay(k):
    """The shortest stay at a place in seconds: long enough for all that a move sets off. Without optimistic DAD an
    address takes up to two seconds, and the first acknowledgement from the home agent one more."""
    return 1 + 4 * k.rtt / 1000 + (0 if k.optimistic_dad else 3) + (0 if k.carrier else unnoticed(k) / 1000)


def unnoticed(k):
    """How long a move without carrier events may stay unnoticed, in ms: until an advertisement of another router, the
    first that is not within a second of one from the router before, and then until that has been asked in vain three
    times, a RetransTimer apart (RFC 6275 11.5.1, RFC 4861 7.3.3)."""
    return max(2 * k.ra_ms, 1000 + k.ra_ms) + 3000


def one_move(lab, net, number):
    k = lab.keys
    target = WALK[(number + 1) % 3]
    if k.links == "two":
        new, old = (("wlan1", "wlan0"), ("wlan0", "wlan1"))[number % 2]
        before, up = net.place[old], net.attach(target, new)
        lab.sleep(k.overlap_ms / 1000)
        return {"from": before, "to": target, "device": new, "up": up, "down": net.detach(old)}
    if not k.carrier:
        return net.slide(target)
    return net.move(target, down_ms=k.down_ms)


def run(lab, settled=lambda net, number, move: None):
    """settled is called after each stay, before the node moves on."""
    net = setup(lab)
    k = lab.keys
    down = flows.Stream(lab, "down", net.cn, net.mn, HOME_ADDRESS, 5001, interval_us=k.interval_us)
    up = flows.Stream(lab, "up", net.mn, net.cn, CORRESPONDENT, 5002, source=HOME_ADDRESS, interval_us=k.interval_us)
    tcp = flows.Transfer(lab, "tcp", net.mn, net.cn, CORRESPONDENT, 5003, source=HOME_ADDRESS)
    lab.facts["moves"] = []
    for number in range(k.moves):
        lab.sleep(stay(k) + lab.random.random())
        if number:
            settled(net, number, lab.facts["moves"][-1])
        move = one_move(lab, net, number)
        lab.facts["moves"].append(move)
        lab.say(f"move {number + 1}: {move['from']} -> {move['to']}")
    lab.sleep(stay(k) + 1)
    if k.moves:
        settled(net, k.moves, lab.facts["moves"][-1])
    for stream in (down, up):
        stream.stop_sending()
    lab.sleep(1 + 2 * k.rtt / 1000)
    tcp.finish()
    for stream in (down, up):
        stream.stop()
    for daemon in (net.mn_daemon, net.ha_daemon):
        lab.check(daemon.alive(), f"{daemon.name} died")


def judge(e):
    k, moves = e.keys, e.facts["moves"]
    handovers.figures(e, moves, waits=k.uplink == "cautious" or not k.optimistic_dad)
    f = e.figures
    e.figures["tcp_longest_gap_ms"] = [e.facts["transfers"]["tcp"][end]["longest_gap_ms"] for end in ("client", "server")]
    wrong = flows.whole(e.facts["transfers"]["tcp"])
    e.check(not wrong, wrong)
    e.check(f["lost"] == 0, f"{f['lost']} packets lost that were not on an abandoned link: {f['lost_where']}")
    e.check(f["duplicated"] == 0, f"{f['duplicated']} packets arrived more than once")
    for name in ("downlink_sent_ms", "downlink_gap_ms", "uplink_gap_ms"):
        e.check(None not in f[name], f"{name}: no figure at moves {[i + 1 for i, v in enumerate(f[name]) if v is None]}")
    if k.optimistic_dad:
        tolerance = TOLERANCE + (0 if k.carrier else unnoticed(k))
        stays = [kept(k, m) for m in moves]
        away = [0 if m["to"] == "home" else k.rtt for m in moves]
        for name, wanted in (("downlink_sent_ms", [r / 2 for r in away]), ("downlink_gap_ms", away),
                             ("uplink_gap_ms", [uplink_wait(k, m) for m in moves])):
            e.near(name, f[name], [w + s for w, s in zip(wanted, stays)], tolerance)


def kept(k, move):
    """With two links the node stays where it is as long as it can, in ms from the new link's start, when that is the
    home link or the interface it prefers."""
    if k.links == "one" or move["to"] == "home" or (move["from"] != "home" and move["device"] == "wlan0"):
        return 0
    return k.overlap_ms


def uplink_wait(k, move):
    """With the cautious setting the node waits for the acknowledgement, which the home agent's duplicate address
    detection delays when it has no binding yet."""
    if k.uplink == "optimistic" or move["to"] == "home":
        return 0
    return k.rtt + (HOME_DAD if move["from"] == "home" else 0)
