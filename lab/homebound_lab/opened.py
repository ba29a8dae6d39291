"""ESP packets of a capture opened with keys that are known, by programs that nobody here wrote.

tshark opens AES-GCM and AES-CBC, and checks integrity. It does not know ChaCha20-Poly1305 in ESP (RFC 7634): that
is opened by Python's cryptography, which is OpenSSL.
"""

import subprocess
from collections import namedtuple

from . import headers, packets, watcher
from .ipsec import LENGTHS

BY_TSHARK = {"aes-gcm-128": ("AES-GCM with 16 octet ICV [RFC4106]", "NULL"),
             "aes-gcm-256": ("AES-GCM with 16 octet ICV [RFC4106]", "NULL"),
             "aes-cbc-128-hmac-sha256": ("AES-CBC [RFC3602]", "HMAC-SHA-256-128 [RFC4868]"),
             "aes-cbc-256-hmac-sha512": ("AES-CBC [RFC3602]", "HMAC-SHA-512-256 [RFC4868]")}
FIELDS = ("frame.time_epoch", "esp.spi", "mip6.mhtype", "icmpv6.type", "udp.dstport", "tcp.dstport", "esp.icv_good")

# what: as watcher.name_of() calls it
Message = namedtuple("Message", "time spi what")


def tshark_options(keys):
    """Options that give tshark these keys; outer addresses are any, since they change in a move."""
    options = ["-o", "esp.enable_encryption_decode:TRUE", "-o", "esp.enable_authentication_check:TRUE"]
    for _, _, _, spi, algorithm, key in keys:
        cipher, integrity = BY_TSHARK[algorithm]
        size = 2 * LENGTHS[algorithm][0]
        row = ("IPv6", "*", "*", f"0x{spi:08x}", cipher, "0x" + key[:size], integrity, "0x" + key[size:] if key[size:] else "")
        options += ["-o", "uat:esp_sa:" + ",".join(f'"{word}"' for word in row)]
    return options


def by_tshark(path, keys):
    argv = ["tshark", "-n", "-r", path, *tshark_options(keys), "-Y", "esp", "-T", "fields", "-E", "separator=;",
            "-E", "occurrence=l"]
    for field in FIELDS:
        argv += ["-e", field]
    out = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True).stdout
    found = []
    for line in out.splitlines():
        time, spi, mh, icmp, udp, tcp, good = line.split(";")
        if mh:
            what = watcher.NAMES.get(int(mh), f"Mobility Header of type {mh}")
        elif icmp:
            what = watcher.MOBILE_PREFIX.get(int(icmp), f"ICMPv6 type {icmp}")
        else:
            what = "UDP" if udp else "TCP" if tcp else None
        if what and good not in ("", "0", "False"):
            found.append(Message(float(time), int(spi, 16), what))
    return found


def by_cryptography(path, keys):
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    sas = {spi: (use, bytes.fromhex(key)) for _, _, use, spi, _, key in keys}
    found = []
    for time, frame in packets.frames(path):
        data = frame[14:]
        packet = headers.take_apart(data) if frame[12:14] == b"\x86\xdd" else None
        number = packet and headers.spi(data, packet)
        if number not in sas:
            continue
        (use, key), at = sas[number], packet.at
        try:
            text = ChaCha20Poly1305(key[:-4]).decrypt(key[-4:] + data[at + 8:at + 16], data[at + 16:], data[at:at + 8])
        except InvalidTag:
            continue
        within = headers.take_apart(text) if use == "data" else None
        inner = within or packet._replace(proto=text[-1], at=0)
        found.append(Message(time, number, watcher.name_of(text, inner)))
    return found


def decrypts(path, keys):
    """Messages in ESP that the keys open, with good integrity. keys: as ipsec.manual_keys() gives them, of one algorithm."""
    return (by_tshark if keys[0][4] in BY_TSHARK else by_cryptography)(path, keys)
