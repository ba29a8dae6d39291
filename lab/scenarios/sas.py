"""What mip6ctl says of security associations is what the kernel has, before and after moves; what somebody else changes is
found and mended."""

import json
import re

from homebound_lab import capture, daemons, flows
from homebound_lab.picture import HOME_ADDRESS, HOME_AGENT, Picture
from homebound_lab.scenario import Key

TITLE = "mip6ctl sas, beside ip xfrm state"
KEYS = {"rtt": Key(20, "round trip between the node and the home agent, in ms"),
        "ipsec": Key("manual", "who makes the SAs; scenario ike has those of strongSwan", ("manual",))}
LIMIT = 120
STATE = re.compile(r"^src (\S+) dst (\S+)\n\tproto esp spi (0x[0-9a-f]+)\S* reqid \S+ mode (\w+)", re.M)


def number(pattern, text):
    found = re.search(pattern, text)
    return int(found.group(1), 0) if found else None


def in_kernel(host):
    """{(destination, SPI): what ip says of the SA}"""
    text, sas = host.command(["ip", "-s", "xfrm", "state"]), {}
    starts = [m for m in STATE.finditer(text)]
    for m, end in zip(starts, [m.start() for m in starts[1:]] + [len(text)]):
        sa = text[m.start():end]
        sas[m.group(2), int(m.group(3), 16)] = {
            "source": m.group(1), "mode": m.group(4), "octets": number(r"(\d+)\(bytes\)", sa.split("lifetime current:")[1]),
            "packets": number(r"(\d+)\(packets\)", sa.split("lifetime current:")[1]), "seq": number(r", seq (0x[0-9a-f]+)", sa),
            "oseq": number(r"oseq (0x[0-9a-f]+)", sa), "window": number(r"replay_window (\d+)", sa)}
    return sas


def compare(lab, daemon, when):
    """Each SA that is told of is in the kernel and has the same numbers. Returns what was told, by use and direction."""
    before, told, after = in_kernel(daemon.host), daemon.ctl("sas", HOME_ADDRESS), in_kernel(daemon.host)
    if before != after:  # a packet came in between
        return compare(lab, daemon, when)
    for sa in told:
        kernel = before.get((sa["destination"], int(sa.get("spi", "0"), 16)))
        name = f"{when}: {daemon.name}, {sa['use']} {sa['direction']}"
        lab.check(kernel and not sa["missing"], f"{name}: {sa} is not in the kernel")
        sequence = kernel["oseq" if sa["direction"] == "out" else "seq"]
        lab.check([sa[k] for k in ("source", "mode", "octets", "packets")] ==
                  [kernel[k] for k in ("source", "mode", "octets", "packets")] and sa["sequence"] == sequence,
                  f"{name}: {sa} is not {kernel}")
        lab.check(sa["direction"] == "out" or sa["replay_window"] == kernel["window"],
                  f"{name}: replay window {sa.get('replay_window')}, in the kernel {kernel['window']}")
        lab.check("algorithm" in sa, f"{name}: no algorithm")
    return {f"{sa['use']} {sa['direction']}": sa for sa in told}


def moved(lab, net, link, network):
    net.move(link)
    lab.until(lambda: all(there.startswith(network) for there in places(net)), 20, f"the node's registration on {link}")
    lab.sleep(1)


def places(net):
    state, care_of = net.mn_daemon.registration()
    return (care_of or "") if state == "registered" else "", (net.ha_daemon.bindings() or {}).get(HOME_ADDRESS, "")


def differences(lab, daemon, action="check"):
    """Lines of mip6ctl ipsec check or mend; the exit status says whether there are any to be mended."""
    program = [lab.build + "/ctl/mip6ctl", "-s", daemon.socket, "-j", "ipsec", action]
    lines = json.loads(daemon.host.command(program, check=False))
    status = daemon.host.command(["sh", "-c", '"$@" >/dev/null; echo $?', "sh", *program[:-1], "check"], check=False).strip()
    lab.check(status == ("1" if lines and action == "check" else "0"), f"{daemon.name}: status {status} with {lines}")
    return lines


def spoiled(lab, net):
    """A policy that lets something pass beside the SAs is added; an SA is deleted."""
    net.ha.command(["ip", "xfrm", "policy", "add", "src", HOME_AGENT, "dst", HOME_ADDRESS, "proto", "udp", "dir", "out",
                    "priority", "8"])
    found, mended = differences(lab, net.ha_daemon), differences(lab, net.ha_daemon, "mend")
    lab.facts["spoiled"] = found
    lab.check(len(found) == 1 and found == mended, f"found {found}, mended {mended}")
    lab.check(differences(lab, net.ha_daemon) == [], "something is left after mending")
    sa = net.ha_daemon.ctl("sas", HOME_ADDRESS)[0]
    net.ha.command(["ip", "xfrm", "state", "delete", "src", sa["source"], "dst", sa["destination"], "proto", "esp", "spi",
                    sa["spi"]])
    lab.until(lambda: not net.ha_daemon.ctl("sas", HOME_ADDRESS)[0]["missing"], 10, "the deleted SA to come back")
    lab.check(differences(lab, net.ha_daemon) == [], "something is missing after the daemon has mended by itself")


def run(lab):
    net = Picture(lab, rtt_ms=lab.keys.rtt)
    capture.start(lab, net.capture_points())
    net.ha_daemon = daemons.home_agent(lab, net)
    net.attach("link1")
    net.mn_daemon = daemons.mobile_node(lab, net)
    lab.until(lambda: all(p.startswith("2001:db8:a:") for p in places(net)), 30, "the registration")
    lab.facts["told"] = {"ha": [], "mn": []}
    for n, (link, network) in enumerate((("link2", "2001:db8:b:"), ("link1", "2001:db8:a:"))):
        stream = flows.Stream(lab, f"down{n}", net.cn, net.mn, HOME_ADDRESS, 5001 + n)
        lab.sleep(1)
        moved(lab, net, link, network)
        stream.stop_sending()
        lab.sleep(1)
        stream.stop()
        for name, daemon in (("ha", net.ha_daemon), ("mn", net.mn_daemon)):
            lab.facts["told"][name].append(compare(lab, daemon, f"on {link}"))
    for daemon in (net.ha_daemon, net.mn_daemon):
        found = differences(lab, daemon)
        lab.check(found == [], f"{daemon.name}: {found}")
    spoiled(lab, net)
    lab.facts["status"] = net.ha_daemon.ctl("status")["ipsec"]


def judge(e):
    told = e.facts["told"]
    for name, (first, second) in told.items():
        e.check(len(first) == len(second) == 4, f"{name}: {len(first)}, then {len(second)} SAs")
        for which, sa in first.items():
            later = second[which]
            used = which.startswith("signal") or e.keys.payload and which == {"ha": "data out", "mn": "data in"}[name]
            for counter in ("sequence", "packets", "octets"):
                e.check(later["spi"] == sa["spi"] and later[counter] >= sa[counter] + used,
                        f"{name}, {which}, {counter}: does not go on: {sa}, then {later}")
    e.figures["sequence"] = {f"{name} {which}": [sa["sequence"], told[name][1][which]["sequence"]]
                             for name in told for which, sa in told[name][0].items()}
    e.figures["spoiled"] = e.facts["spoiled"]
    status = e.facts["status"]
    e.check((status["manager"], status["nodes"], status["bound"]) == (e.keys.ipsec, 1, 1), f"status: {status}")
