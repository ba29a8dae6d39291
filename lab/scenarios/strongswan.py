"""strongSwan itself in the lab: what charon does with the connections of Mobile IPv6, without any daemon of ours."""

from homebound_lab import capture, packets
from homebound_lab.migrate import TRANSPORT, TUNNEL, migrate
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, HOME_AGENT, Picture
from homebound_lab.scenario import Key
from homebound_lab.strongswan import StrongSwan

TITLE = "strongSwan: IKE between node and home agent, moves, restarts"
KEYS = {"rtt": Key(20, "round trip between the node and its home agent, in ms"),
        "roam": Key("yes", "roam events", ("yes", "no")),
        "down": Key(0.0, "s"), "late": Key(0.0, "s"),
        "km": Key("data", "which", ("sig", "data"))}
LIMIT = 300
IPSEC = False
COA = {"link1": "2001:db8:a::100", "link2": "2001:db8:b::100"}
GATEWAY = {"link1": "2001:db8:a::1", "link2": "2001:db8:b::1"}

CONF = """connections {
	home {
		version = 2
		mobike = no
		%(addrs)s
		local { auth = psk
			id = %(me)s }
		remote { auth = psk
			id = %(you)s }
		children {
			sig { mode = transport_proxy
				local_ts = %(l)s/128[135],%(l)s/128[ipv6-icmp]
				remote_ts = %(r)s/128[135],%(r)s/128[ipv6-icmp]
				policies = no
				reqid = 1
				esp_proposals = aes128gcm16 }
			data { mode = tunnel
				local_ts = %(ldata)s
				remote_ts = %(rdata)s
				policies = no
				reqid = 2
				esp_proposals = aes128gcm16 }
		}
	}
}
secrets { ike-1 { id-1 = mn
	id-2 = ha
	secret = "lab secret" } }
"""


def policies(net, coa):
    H, A = HOME_ADDRESS, HOME_AGENT
    for host, out, inn in ((net.mn, (H, A), (A, H)), (net.ha, (A, H), (H, A))):
        lines = "xfrm state add src :: dst :: proto route2 mode ro coa :: flag wildrecv flag af-unspec\n" if host is net.mn else \
                "xfrm state add src :: dst :: proto hao mode ro coa :: flag wildrecv flag af-unspec\n"
        lines += ("xfrm policy add dir in src ::/0 dst ::/0 proto esp priority 1 tmpl src :: dst :: proto hao mode ro level use "
            "tmpl src :: dst :: proto route2 mode ro level use\n")
        for proto in ("135", "ipv6-icmp"):
            ro_out, ro_in = ("hao", "route2") if host is net.mn else ("route2", "hao")
            lines += f"xfrm policy add dir out src {out[0]} dst {out[1]} proto {proto} priority 8 tmpl src {out[0]} dst {out[1]} proto esp mode transport reqid 1 tmpl src :: dst :: proto {ro_out} mode ro level use\n"
            lines += f"xfrm policy add dir in src {inn[0]} dst {inn[1]} proto {proto} priority 8 tmpl src {inn[0]} dst {inn[1]} proto esp mode transport reqid 1 tmpl src :: dst :: proto {ro_in} mode ro level use\n"
        if host is net.mn:
            lines += f"xfrm policy add dir out src {H} dst ::/0 priority 6000 tmpl src {coa} dst {A} proto esp mode tunnel reqid 2\n"
            lines += f"xfrm policy add dir in src ::/0 dst {H} priority 6000 tmpl src {A} dst {coa} proto esp mode tunnel reqid 2\n"
            lines += f"xfrm state add src {H} dst {A} proto hao mode ro coa {coa} flag af-unspec\n"
        else:
            lines += f"xfrm policy add dir out src ::/0 dst {H} priority 6000 tmpl src {A} dst {coa} proto esp mode tunnel reqid 2\n"
            for d in ("in", "fwd"):
                lines += f"xfrm policy add dir {d} src {H} dst ::/0 priority 6000 tmpl src {coa} dst {A} proto esp mode tunnel reqid 2\n"
            lines += f"xfrm state add src {A} dst {H} proto route2 mode ro coa {coa} flag af-unspec\n"
        for line in lines.splitlines():
            host.ip(line + "\n")


def ping(host, src, dst, n=3):
    out = host.command(["ping", "-n", "-c", str(n), "-i", "0.2", "-W", "1", "-I", src, dst], check=False)
    return out.count("time=")


def setup(lab):
    net = Picture(lab, rtt_ms=lab.keys.rtt, node_static=True)
    net.mn.ip(f"addr add {HOME_ADDRESS}/128 dev lo nodad home\n")
    v = {"l": HOME_ADDRESS, "r": HOME_AGENT, "ldata": HOME_ADDRESS + "/128", "rdata": "::/0", "me": "mn", "you": "ha",
         "addrs": f"remote_addrs = {HOME_AGENT}"}
    settings = "kernel-netlink { roam_events = no }\n" if lab.keys.roam == "no" else ""
    net.swan_mn = StrongSwan(lab, net.mn, CONF % v, plugin_settings=settings)
    v = {"r": HOME_ADDRESS, "l": HOME_AGENT, "rdata": HOME_ADDRESS + "/128", "ldata": "::/0", "me": "ha", "you": "mn",
         "addrs": f"local_addrs = {HOME_AGENT}"}
    net.swan_ha = StrongSwan(lab, net.ha, CONF % v)
    return net


def go(lab, net, place):
    net.move(place)
    net.mn.ip("addr flush dev wlan0 scope global\n")
    net.mn.ip(f"addr add {COA[place]}/64 dev wlan0 nodad\nroute replace default via {GATEWAY[place]} dev wlan0\n"
              f"route replace {HOME_AGENT}/128 via {GATEWAY[place]} dev wlan0 src {COA[place]}\n")


def move(lab, net, old, new):
    H, A = HOME_ADDRESS, HOME_AGENT
    for host in (net.mn, net.ha):
        tell = (new, A) if host is net.mn else (A, new)
        up, down = ((old, A), (new, A)), ((A, old), (A, new))
        if host is net.mn:
            todo = [("out", H, "::/0", *up), ("in", "::/0", H, *down)]
            host.ip(f"xfrm state update src {H} dst {A} proto hao mode ro coa {new} flag af-unspec\n")
        else:
            todo = [("in", H, "::/0", *up), ("fwd", H, "::/0", *up), ("out", "::/0", H, *down)]
            host.ip(f"xfrm state update src {A} dst {H} proto route2 mode ro coa {new} flag af-unspec\n")
        for n, (d, s, t, o, w) in enumerate(todo):
            last = n == len(todo) - 1
            migrate(host, d, s, t, 0, 2, TUNNEL, o, w, tell if last and lab.keys.km == "data" else None)
        if lab.keys.km == "sig":
            s, t = (H, A) if host is net.mn else (A, H)
            migrate(host, "out", s, t, 135, 1, TRANSPORT, (s, t), (s, t), tell)


def show(lab, net, text):
    for swan in (net.swan_mn, net.swan_ha):
        print("==", text, swan.name)
        for ike in swan.sas():
            print("  IKE", ike["uniqueid"], ike["state"], ike["local-host"], ike["remote-host"], [(c["name"], c["uniqueid"], c["spi-in"], c["spi-out"], c["state"]) for c in ike["child-sas"]])
        print(swan.host.command(["sh", "-c", "ip -s xfrm state | grep -A1 -E '^src .*' | grep -v '^--'; ip -s xfrm state | grep oseq"]))


def run(lab):
    net = setup(lab)
    go(lab, net, "link1")
    capture.start(lab, {"core-ha": (net.ha, "up0")}, snaplen=2000)
    net.swan_ha.start()
    net.swan_mn.start()
    import json
    with net.swan_mn.vici() as v:
        print(json.dumps(v.stream("list-conns", "list-conn"), indent=1))
    listener = net.swan_mn.vici()
    listener.register("ike-updown", "child-updown", "child-rekey", "ike-rekey", "ike-update")
    policies(net, COA["link1"])
    for child in ("sig", "data"):
        net.swan_mn.initiate(child)
    print("pings", ping(net.mn, HOME_ADDRESS, HOME_AGENT), ping(net.mn, HOME_ADDRESS, CORRESPONDENT))
    show(lab, net, "before")
    lab.facts["t0"] = lab.now()
    net.detach()
    net.mn.ip("addr flush dev wlan0 scope global\n")
    lab.sleep(lab.keys.down)
    go(lab, net, "link2")
    lab.sleep(lab.keys.late)
    move(lab, net, COA["link1"], COA["link2"])
    lab.sleep(5)
    print("pings", ping(net.mn, HOME_ADDRESS, HOME_AGENT), ping(net.mn, HOME_ADDRESS, CORRESPONDENT))
    show(lab, net, "after move")
    lab.facts["t1"] = lab.now()
    for child in ("sig", "data"):
        print(net.swan_mn.swanctl("--rekey", "--child", child, check=False))
        print(net.swan_ha.swanctl("--rekey", "--child", child, check=False))
    lab.sleep(5)
    print("pings", ping(net.mn, HOME_ADDRESS, HOME_AGENT), ping(net.mn, HOME_ADDRESS, CORRESPONDENT))
    show(lab, net, "after rekey")
    print(net.swan_mn.swanctl("--rekey", "--ike", "home", check=False))
    lab.sleep(5)
    show(lab, net, "after ike rekey")
    net.swan_ha.swanctl("--terminate", "--child", "data")
    net.swan_ha.swanctl("--terminate", "--ike", "home")
    lab.sleep(2)
    try:
        while True:
            print("EVENT", json.dumps(listener.event(0.5), indent=1))
    except Exception as e:
        print(e)
    with net.swan_mn.vici() as v:
        print(v.command("initiate", {"child": "nonsense", "timeout": "-1"}))
        print(v.command("initiate", {"child": "data", "ike": "home", "timeout": "-1"}))
        print(v.command("terminate", {"ike": "home", "force": "yes", "timeout": "-1"}))
        print(v.command("get-conns"))


def judge(e):
    rows = packets.tshark(e.path("core-ha.pcapng"), "isakmp", "frame.time_epoch", "ipv6.src", "ipv6.dst", "isakmp.exchangetype", "isakmp.messageid")
    print("ike", e.facts)
    for r in rows:
        print(r)
