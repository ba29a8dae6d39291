"""SA pairs with manual keys of a virtual private network (MN - SG, MN - VCM, SG - VCM) when daemons are killed and start again: the
SAs go on where they are, one that is gone by then goes on behind all that it may have used, and payload by the gateway's tunnel
notices nothing."""

import re

from homebound_lab import flows, scenario, vpn, vpn_figures, vpn_story

vcm = scenario.load("vcm")

TITLE = "kill -9 of node, gateway and manager: their SA pairs with manual keys are taken over"
IPSEC = False
KEYS = {name: vcm.KEYS[name] for name in vcm.KEYS if name not in ("kill", "loss", "fake", "ipsec", "where", "ike_rekey", "rekey", "manager_ipsec")}
LIMIT = 120
BLOCK = 1 << 20  # numbers are reserved in blocks of so many (doc/ipsec.md)


def run(lab):
    k = lab.keys
    k.kill, k.loss, k.fake, k.ipsec, k.where, k.ike_rekey, k.rekey, k.manager_ipsec = \
        "none", 0, False, "manual", "host", 0, 0, "manual"
    net = vcm.setup(lab)
    story = vpn_story.Story(lab, net)
    story.settle("inside")
    story.leave("mn1")
    story.stay(2)
    mine, files = net.at.internal["mn1"], net.at.files
    streams = [flows.Stream(lab, "up", net.mn1, net.files, files, 5001, source=mine, interval_us=k.interval_us),
               flows.Stream(lab, "down", net.files, net.mn1, mine, 5002, source=files, interval_us=k.interval_us)]
    story.stay(1)
    lab.facts["killed"] = []
    for name in ("mn1", "sg", "vcm"):
        killed(lab, net, story, name, None)
    for name, peer in (("mn1", net.at.vcm), ("sg", net.at.vcm), ("vcm", vpn.gateway_of(net, k.where))):
        killed(lab, net, story, name, peer)
    story.stay(1)
    lab.facts["ended"] = lab.now()
    for stream in streams:
        stream.stop_sending()
    lab.sleep(1)
    for stream in streams:
        stream.stop()


def pairs(net, name, keys):
    """{SPI: {source, destination, added, oseq}} of the SAs with manual keys of pairs in a host's kernel."""
    found = {}
    for block in re.split(r"\n(?=src )", getattr(net, name).command(["ip", "-s", "xfrm", "state"])):
        ends = re.match(r"src (\S+) dst (\S+)\n\s+proto esp spi (0x[0-9a-f]+)", block)
        if ends and int(ends[3], 16) in keys:
            found[ends[3]] = {"source": ends[1], "destination": ends[2], "added": re.search(r"add (\S+ \S+)", block)[1],
                              "oseq": int(re.search(r"oseq 0x([0-9a-f]+)", block)[1], 16)}
    return found


def killed(lab, net, story, name, peer):
    """kill -9, and a start 1 s later. peer: what is sent to it loses its SA meanwhile."""
    daemon = net.daemons[name]
    keys = {row[3] for row in vpn.manual_keys(lab.seed, vpn.pairs_of(net, lab.keys.where)) if row[2] in ("gateway", "manager")}
    before = pairs(net, name, keys)
    daemon.kill()
    gone = {spi for spi, sa in before.items() if sa["destination"] == peer}
    lab.check(len(gone) == (peer is not None), f"{name}: SAs to {peer}: {gone}")
    last = pairs(net, name, keys)
    for spi in gone:
        getattr(net, name).command(["ip", "xfrm", "state", "delete", "src", before[spi]["source"], "dst", peer, "proto", "esp", "spi", spi])
    story.stay(1)
    daemon.start()
    story.stay(1)
    after = pairs(net, name, keys)
    what = f"{name} killed{', its SA to ' + peer + ' deleted' if peer else ''}"
    lab.check(before and after.keys() == before.keys(), f"{what}: had {sorted(before)}, has {sorted(after)}")
    for spi, sa in after.items():
        if spi in gone:
            lab.check(sa["oseq"] >= last[spi]["oseq"] + BLOCK // 2, f"{what}: {spi} went on with {sa['oseq']} behind {last[spi]['oseq']}")
        else:
            lab.check(sa["added"] == before[spi]["added"], f"{what}: {spi} was made anew")
            lab.check(sa["oseq"] >= last.get(spi, sa)["oseq"], f"{what}: {spi} went back to {sa['oseq']}")
    lab.facts["killed"].append(what)
    lab.say(what)


def judge(e):
    run = vpn_figures.Run(e)
    readable = vpn_figures.clear(run)
    esp, reused = vpn_figures.esp(run)
    e.figures.update(killed=len(e.facts.get("killed", ())), clear=len(readable), reused=reused, esp=esp,
                     lost={name: len(flows.Log(e, name).missing) for name in ("up", "down")})
    e.check(e.figures["killed"] == 6, "not all were killed")
    e.check(not readable, f"{len(readable)} packets could be read outside: {readable[:5]}")
    e.check(not reused, f"{reused} sequence numbers were used twice")
    e.check(not any(e.figures["lost"].values()), f"lost by the gateway's tunnel: {e.figures['lost']}")
    for name in ("up", "down"):
        e.check(flows.Log(e, name).sent > 1000, f"{name}: few packets were sent")
