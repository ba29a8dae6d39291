"""The witnesses that open ESP, on packets that scapy made: they must find what is there, and nothing with another key."""

import os
import sys

import pytest
from conftest import ROOT

sys.path.insert(0, os.path.join(ROOT, "lab"))

from homebound_lab import ipsec, opened, packets, unwrap  # noqa: E402
from homebound_lab.picture import CORRESPONDENT, HOME_ADDRESS, HOME_AGENT  # noqa: E402
from test_watcher import CARE_OF, NODE, ROUTER, hao, ip6, pcapng  # noqa: E402

SCAPY = {"aes-gcm-128": ("AES-GCM", None), "aes-gcm-256": ("AES-GCM", None),
         "chacha20-poly1305": ("CHACHA20-POLY1305", None), "aes-cbc-128-hmac-sha256": ("AES-CBC", "SHA2-256-128"),
         "aes-cbc-256-hmac-sha512": ("AES-CBC", "SHA2-512-256")}


def protect(key, packet, tunnel=None):
    from scapy.layers.ipsec import ESP, SecurityAssociation

    _, _, _, spi, algorithm, octets = key
    cipher, integrity = SCAPY[algorithm]
    octets, size = bytes.fromhex(octets), ipsec.LENGTHS[algorithm][0]
    return bytes(SecurityAssociation(ESP, spi=spi, crypt_algo=cipher, crypt_key=octets[:size], auth_algo=integrity,
                                     auth_key=octets[size:] or None, tunnel_header=tunnel).encrypt(packet))


@pytest.mark.parametrize("algorithm", SCAPY)
def test_messages_are_found(tmp_path, algorithm):
    from scapy.layers.inet6 import HAO, MIP6MH_BU, IPv6, IPv6ExtHdrDestOpt, MIP6MH_HoTI
    from scapy.layers.inet import UDP

    keys = ipsec.manual_keys(1, algorithm, [HOME_ADDRESS], [HOME_AGENT])
    update = IPv6(src=CARE_OF, dst=HOME_AGENT) / IPv6ExtHdrDestOpt(options=[HAO(hoa=HOME_ADDRESS)]) / MIP6MH_BU(seq=7)
    outer, up = IPv6(src=CARE_OF, dst=HOME_AGENT), IPv6(src=HOME_ADDRESS, dst=CORRESPONDENT)
    frames = [protect(keys[0], update), protect(keys[2], up / MIP6MH_HoTI(), outer), protect(keys[2], up / UDP(dport=5001), outer)]
    broken = frames[0][:-1] + bytes([frames[0][-1] ^ 1])
    path = pcapng(str(tmp_path / "a.pcapng"), [(NODE, ROUTER, p) for p in (*frames, broken)])
    assert [(m.spi, m.what) for m in opened.decrypts(path, keys)] == \
        [(keys[0][3], "Binding Update"), (keys[2][3], "Home Test Init"), (keys[2][3], "UDP")]
    others = [(*k[:5], "00" * (len(k[5]) // 2)) for k in keys]
    assert opened.decrypts(path, others) == []


def unwrapped(tmp_path, keys, frames, snaplen=9999):
    """The packets of a capture when ESP has been taken off."""
    source, target = str(tmp_path / "a.pcapng"), str(tmp_path / "b.pcapng")
    pcapng(source, [(NODE, ROUTER, p) for p in frames], snaplen)
    sas = {spi: (algorithm, bytes.fromhex(key)[:ipsec.LENGTHS[algorithm][0]]) for _, _, _, spi, algorithm, key in keys}
    unwrap.copy(source, target, unwrap.Unwrapper(sas))
    return [frame[14:] for _, frame in packets.frames(target)]


@pytest.mark.parametrize("algorithm", SCAPY)
def test_esp_is_taken_off(tmp_path, algorithm):
    from scapy.layers.inet6 import HAO, MIP6MH_BU, IPv6, IPv6ExtHdrDestOpt
    from scapy.layers.inet import UDP

    keys = ipsec.manual_keys(1, algorithm, [HOME_ADDRESS], [HOME_AGENT])
    update = IPv6(src=CARE_OF, dst=HOME_AGENT) / IPv6ExtHdrDestOpt(options=[HAO(hoa=HOME_ADDRESS)]) / MIP6MH_BU(seq=7)
    outer, large = IPv6(src=CARE_OF, dst=HOME_AGENT), IPv6(src=HOME_ADDRESS, dst=CORRESPONDENT) / UDP(dport=5001) / bytes(900)
    tunnel = bytes(outer / large)
    esp = [protect(keys[0], update), protect(keys[2], large, outer), bytes(outer), b""]
    assert unwrapped(tmp_path, keys, esp) == [bytes(update), tunnel, bytes(outer), b""]
    cut = unwrapped(tmp_path, keys, esp, snaplen=254)[1]  # RFC 3602: whole blocks can be opened
    assert len(cut) >= 254 - 14 - 24 - 16 and tunnel.startswith(cut)
    carried = ip6(CARE_OF, HOME_AGENT, 60, hao(50, esp[1][40:]))  # a tunnel of the arrangement home-address
    assert unwrapped(tmp_path, keys, [carried]) == [tunnel]
    assert unwrapped(tmp_path, [], esp) == esp
    others = [(*k[:5], "00" * (len(k[5]) // 2)) for k in keys]
    cuts = [p[:n] for p in esp for n in range(0, len(p), 7)]
    assert len(unwrapped(tmp_path, others, cuts)) == len(cuts)  # what a wrong key makes of it harms nobody
