"""Shouts lies by multicast DNS for a minute, run inside a host of the lab.

Half of its packets are garbage: random bytes, and true packets with bytes
bent or the end cut off.  The others are well-formed answers for _p2p._udp,
as another libp2p program would send them, that name peers who do not exist
at addresses where nobody is, NAMES of them in all, again and again.
"""

import os
import random
import socket
import struct
import time

GROUP = ("224.0.0.251", 5353)
SERVICE = b"_p2p", b"_udp", b"local"
NAMES = 200
PACKETS_A_SECOND = 100
SECONDS = 60

PTR, TXT, IN, ANSWER = 12, 16, 1, 0x8400
TTL = 120

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
# An identity multihash of an Ed25519 public key protobuf, without the key.
PEER_ID_HEAD = bytes.fromhex("002408011220")


def base58(data):
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def name(*labels):
    """A domain name as DNS writes it, without compression."""
    return b"".join(bytes([len(each)]) + each for each in labels) + b"\0"


def record(owner, kind, data):
    return owner + struct.pack(">HHIH", kind, IN, TTL, len(data)) + data


def lie(number):
    """An answer that names a peer who does not exist."""
    # Addresses where nothing answers, and addresses that refuse.
    address = ("10.77.0.%d" % (100 + number % 100) if number % 2 else
               "10.77.0.1")
    peer = base58(PEER_ID_HEAD + random.Random(number).randbytes(32))
    text = "dnsaddr=/ip4/%s/tcp/4001/p2p/%s" % (address, peer)
    instance = name(b"lie-%08d-0123456789012345678901" % number, *SERVICE)
    return (struct.pack(">6H", 0, ANSWER, 0, 2, 0, 0) +
            record(name(*SERVICE), PTR, instance) +
            record(instance, TXT, bytes([len(text)]) + text.encode()))


def garbage(number):
    """Random bytes, or a lie with three bytes bent, or cut short."""
    if number % 3 == 0:
        return os.urandom(random.randrange(1, 1400))
    packet = bytearray(lie(number % NAMES))
    if number % 3 == 1:
        return bytes(packet[:random.randrange(len(packet))])
    for _ in range(3):
        packet[random.randrange(len(packet))] = random.randrange(256)
    return bytes(packet)


def main():
    speaker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # Answers count only from the port of mDNS; avahi-daemon shares it.
    speaker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    speaker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    speaker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    speaker.bind(("", GROUP[1]))
    for number in range(PACKETS_A_SECOND * SECONDS):
        make = garbage if number % 2 else lie
        speaker.sendto(make(number // 2 % NAMES), GROUP)
        time.sleep(1 / PACKETS_A_SECOND)


if __name__ == "__main__":
    main()
