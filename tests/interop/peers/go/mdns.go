package main

import (
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/discovery/mdns"
)

// finder says whom multicast DNS finds. It only looks: nothing is dialled.
type finder struct{}

func (finder) HandlePeerFound(info peer.AddrInfo) {
	emit("discovered", members{"peer": info.ID.String()})
}

// startMdns announces the host under that name, which is that of all of libp2p
// when it is empty, and looks for the others there.
func startMdns(h host.Host, name string) (mdns.Service, error) {
	service := mdns.NewMdnsService(h, name, finder{})
	return service, service.Start()
}
