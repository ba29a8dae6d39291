"""A tunnel that strongSwan's charon moves with MOBIKE (RFC 4555), with and without mip6d looking after the addresses."""

from homebound_lab import capture, daemons, flows, strongswan
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, HOME_AGENT, Picture
from homebound_lab.scenario import Key

TITLE = "a node's tunnel to a security gateway is moved by strongSwan with MOBIKE"
KEYS = {
    "rtt": Key(100, "round trip between the node and the gateway, in ms"),
    "moves": Key(20, "how many moves"),
    "mip6d": Key(False, "mip6d detects movement and makes the care-of address; if not, the kernel"),
    "mobike": Key(True, "MOBIKE; if not, a full IKEv2 set-up after each move"),
    "down_ms": Key(20, "how long there is no link at all, in ms"),
    "interval_us": Key(1000, "interval of the UDP streams, in us"),
}
LIMIT = 240

GATEWAY = """connections { gw {
	version = 2
	mobike = %(mobike)s
	local_addrs = %(gateway)s
	pools = inner
	local { auth = psk
		id = gw.example }
	remote { auth = psk
		id = mn.example }
	children { net { local_ts = ::/0
		esp_proposals = aes128gcm16-noesn } }
	proposals = aes128gcm16-prfsha256-ecp256
} }
pools { inner { addrs = %(inner)s/128 } }
secrets { ike-1 { secret = "a secret for the lab alone" } }
"""
NODE = """connections { gw {
	version = 2
	mobike = %(mobike)s
	remote_addrs = %(gateway)s
	vips = ::
	local { auth = psk
		id = mn.example }
	remote { auth = psk
		id = gw.example }
	children { net { remote_ts = ::/0
		esp_proposals = aes128gcm16-noesn } }
	proposals = aes128gcm16-prfsha256-ecp256
} }
secrets { ike-1 { secret = "a secret for the lab alone" } }
"""


ALONE = "	install_virtual_ip = yes\n"
WITH_MIP6D = "	interfaces_ignore = mip6mn0\n"


def setup(lab):
    k = lab.keys
    net = Picture(lab, rtt_ms=k.rtt, router="instant")
    capture.start(lab, net.capture_points())
    values = {"mobike": "yes" if k.mobike else "no", "gateway": HOME_AGENT, "inner": HOME_ADDRESS}
    net.gateway = strongswan.StrongSwan(lab, net.ha, GATEWAY % values).start()
    if k.mip6d:
        net.mn_daemon = daemons.mobile_node(lab, net, more="	foreign_tunnel = true;\n")
    net.attach("link1")
    lab.until(lambda: [a for a in net.mn.addresses() if a[0].startswith("2001:db8:a:") and not a[3] & 0x40], 10, "address")
    net.client = strongswan.StrongSwan(lab, net.mn, NODE % values, more=WITH_MIP6D if k.mip6d else ALONE).start()
    net.client.initiate("net")
    lab.until(lambda: HOME_ADDRESS in [a[0] for a in net.mn.addresses()], 10, "the inner address on the node")
    print(net.mn.command(["ip", "-6", "addr"]), net.mn.command(["ip", "-6", "route", "show", "table", "all"]), net.mn.command(["ip", "-6", "rule"]))
    lab.until(lambda: not net.cn.popen(["ping", "-n", "-c", "1", "-W", "1", HOME_ADDRESS], stdout=-3).wait(),
              20, "an answer from the home address")
    return net


def one_move(lab, net, number):
    target = ("link2", "link1")[number % 2]
    before = net.place["wlan0"]
    down = net.detach()
    if not lab.keys.mip6d:
        lab.sleep(0.001)
        net.mn.command(["ip", "-6", "addr", "flush", "dev", "wlan0", "to", "2001:db8:a::/47"])
        net.mn.command(["ip", "-6", "route", "flush", "dev", "wlan0", "proto", "ra"], check=False)
        net.mn.command(["ip", "-6", "route", "flush", "dev", "wlan0", "proto", "kernel", "root", "2001::/16"], check=False)
    lab.sleep(lab.keys.down_ms / 1000)
    return {"from": before, "to": target, "device": "wlan0", "down": down, "up": net.attach(target)}


def run(lab):
    net = setup(lab)
    k = lab.keys
    down = flows.Stream(lab, "down", net.cn, net.mn, HOME_ADDRESS, 5001, interval_us=k.interval_us)
    up = flows.Stream(lab, "up", net.mn, net.cn, CORRESPONDENT, 5002, source=HOME_ADDRESS, interval_us=k.interval_us)
    tcp = flows.Transfer(lab, "tcp", net.mn, net.cn, CORRESPONDENT, 5003, source=HOME_ADDRESS)
    lab.facts["moves"] = []
    for number in range(k.moves):
        lab.sleep(6 + 10 * k.rtt / 1000 + lab.random.random())
        lab.facts["moves"].append(one_move(lab, net, number))
    lab.sleep(6 + 10 * k.rtt / 1000)
    for stream in (down, up):
        stream.stop_sending()
    lab.sleep(1 + 2 * k.rtt / 1000)
    tcp.finish(timeout=200)
    for stream in (down, up):
        stream.stop()


def judge(e):
    moves = e.facts["moves"]
    one_way = e.keys.rtt / 2000
    logs = {"down": flows.Log(e, "down"), "up": flows.Log(e, "up")}
    for name, log, shift in (("downlink_gap_ms", logs["down"], 0), ("uplink_gap_ms", logs["up"], one_way)):
        e.figures[name] = []
        for n, move in enumerate(moves):
            end = moves[n + 1]["down"] if n + 1 < len(moves) else float("inf")
            first = min((a[2] - shift for a in log.arrivals if move["up"] + shift <= a[2] < end), default=None)
            e.figures[name].append(first and round((first - move["up"]) * 1000, 1))
        e.figures["lost_" + name[:-7]] = len(log.missing)
    wrong = flows.whole(e.facts["transfers"]["tcp"])
    e.check(not wrong, wrong)
