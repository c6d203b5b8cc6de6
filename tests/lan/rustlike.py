"""Speaks multicast DNS as rust-libp2p does, run inside a host of the lab.

usage: rustlike.py ADDRESS MULTIADDR...

ADDRESS is the host's own; each MULTIADDR ends in /p2p/ID.  As libp2p-mdns of
rust-libp2p has it: it listens at port 5353 but speaks from a port of its own
with a TTL of 1.  It asks once, and each query that it hears, its own first,
it answers by multicast with the query's number and a fresh random name, which
is one bare label.  The addresses are additional records, each a TXT record.
It prints a JSON event "query" for each query that it answers.
"""

import json
import random
import socket
import string
import struct
import sys

from liar import ANSWER, GROUP, IN, PTR, SERVICE, TXT, name

TTL = 360
UNIQUE = 0x8000         # "forget what you knew under this name"


def record(owner, kind, in_class, data):
    return owner + struct.pack(">HHIH", kind, in_class, TTL, len(data)) + data


def query():
    return (struct.pack(">6H", random.getrandbits(16), 0, 1, 0, 0, 0) +
            name(*SERVICE) + struct.pack(">2H", PTR, IN))


def answer(number, addresses):
    """The answer to the query of that number."""
    label = "".join(random.choices(string.ascii_letters + string.digits,
                                   k=random.randrange(32, 64)))
    own = name(label.encode())
    texts = [("dnsaddr=" + each).encode() for each in addresses]
    return (struct.pack(">6H", number, ANSWER, 0, 1, 0, len(texts)) +
            record(name(*SERVICE), PTR, IN, own) +
            b"".join(record(own, TXT, IN | UNIQUE, bytes([len(each)]) + each)
                     for each in texts))


def asks_for_libp2p(packet):
    """True for a query with our question among its questions."""
    question = name(*SERVICE) + struct.pack(">H", PTR)
    return len(packet) > 12 and not packet[2] & 0x80 and question in packet


def main():
    own, addresses = sys.argv[1], sys.argv[2:]
    hears = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    hears.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    hears.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    hears.bind(("", GROUP[1]))
    hears.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                     socket.inet_aton(GROUP[0]) + socket.inet_aton(own))
    speaks = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    speaks.bind((own, 0))
    speaks.sendto(query(), GROUP)
    while True:
        packet, (asker, _) = hears.recvfrom(9000)
        if asks_for_libp2p(packet):
            speaks.sendto(answer(*struct.unpack(">H", packet[:2]), addresses),
                          GROUP)
            print(json.dumps({"event": "query", "from": asker}), flush=True)


if __name__ == "__main__":
    main()
