"""strongSwan itself in the lab: what charon does with the connections of Mobile IPv6, without any daemon of ours."""

from homebound_lab.picture import HOME_ADDRESS, HOME_AGENT, Picture
from homebound_lab.scenario import Key
from homebound_lab.strongswan import StrongSwan

TITLE = "strongSwan: IKE between node and home agent, moves, restarts"
KEYS = {"rtt": Key(20, "round trip between the node and its home agent, in ms")}
LIMIT = 300
IPSEC = False

MN_CONF = """connections {
	home {
		version = 2
		mobike = no
		remote_addrs = %(ha)s
		local { auth = psk
			id = mn }
		remote { auth = psk
			id = ha }
		children {
			sig { mode = transport_proxy
				local_ts = %(hoa)s/128[135],%(hoa)s/128[ipv6-icmp]
				remote_ts = %(ha)s/128[135],%(ha)s/128[ipv6-icmp]
				policies = no
				reqid = 1
				start_action = trap
				esp_proposals = aes128gcm16 }
			data { mode = tunnel
				local_ts = %(hoa)s/128
				remote_ts = ::/0
				policies = no
				reqid = 2
				start_action = trap
				esp_proposals = aes128gcm16 }
		}
	}
}
secrets { ike-1 { id-1 = mn
	id-2 = ha
	secret = "lab secret" } }
"""
HA_CONF = """connections {
	home {
		version = 2
		mobike = no
		local_addrs = %(ha)s
		local { auth = psk
			id = ha }
		remote { auth = psk
			id = mn }
		children {
			sig { mode = transport_proxy
				remote_ts = %(hoa)s/128[135],%(hoa)s/128[ipv6-icmp]
				local_ts = %(ha)s/128[135],%(ha)s/128[ipv6-icmp]
				policies = no
				reqid = 1
				esp_proposals = aes128gcm16 }
			data { mode = tunnel
				remote_ts = %(hoa)s/128
				local_ts = ::/0
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
COA = {"link1": "2001:db8:a::100", "link2": "2001:db8:b::100"}
GATEWAY = {"link1": "2001:db8:a::1", "link2": "2001:db8:b::1"}


def setup(lab):
    net = Picture(lab, rtt_ms=lab.keys.rtt, node_static=True)
    net.mn.ip(f"addr add {HOME_ADDRESS}/128 dev lo nodad home\n")
    values = {"ha": HOME_AGENT, "hoa": HOME_ADDRESS}
    net.swan_mn = StrongSwan(lab, net.mn, MN_CONF % values)
    net.swan_ha = StrongSwan(lab, net.ha, HA_CONF % values)
    return net


def go(lab, net, place):
    net.move(place)
    net.mn.ip("addr flush dev wlan0 scope global\n")
    net.mn.ip(f"addr add {COA[place]}/64 dev wlan0 nodad\nroute replace default via {GATEWAY[place]} dev wlan0\n"
              f"route replace {HOME_AGENT}/128 via {GATEWAY[place]} dev wlan0 src {COA[place]}\n")


def run(lab):
    net = setup(lab)
    go(lab, net, "link1")
    net.swan_ha.start()
    net.swan_mn.start()
    for child in ("sig", "data"):
        net.swan_mn.initiate(child)
    for swan in (net.swan_mn, net.swan_ha):
        sas = swan.sas()
        ends = {(ike["local-host"], ike["remote-host"]) for ike in sas}
        wanted = (COA["link1"], HOME_AGENT) if swan is net.swan_mn else (HOME_AGENT, COA["link1"])
        lab.check(ends == {wanted}, f"{swan.name}: IKE_SAs between {ends}, not {wanted}")
        reqids = sorted((c["name"], c["reqid"]) for c in swan.children())
        lab.check(reqids == [("data", "2"), ("sig", "1")], f"{swan.name}: children {reqids}")


def judge(e):
    pass
