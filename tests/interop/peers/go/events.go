package main

import (
	"encoding/json"
	"os"
	"runtime"
	"runtime/debug"
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/multiformats/go-multiaddr"
)

type members map[string]any

var stdout sync.Mutex

// emit writes one event as one JSON line; lines of two goroutines never mix.
func emit(event string, m members) {
	line := members{"event": event}
	for name, value := range m {
		line[name] = value
	}
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	stdout.Lock()
	defer stdout.Unlock()
	os.Stdout.Write(append(text, '\n'))
}

func emitError(cmd string, err error) {
	emit("error", members{"cmd": cmd, "text": err.Error()})
}

// versions reads the exact module versions out of the running program.
func versions() map[string]string {
	found := map[string]string{"go": runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return found
	}
	for _, module := range info.Deps {
		switch module.Path {
		case "github.com/libp2p/go-libp2p",
			"github.com/libp2p/go-libp2p-pubsub",
			"github.com/libp2p/go-yamux/v4",
			"github.com/libp2p/go-yamux/v5":
			found[module.Path] = module.Version
		}
	}
	return found
}

// fullAddrs names this peer behind each address that it listens on.
func fullAddrs(id peer.ID, addrs []multiaddr.Multiaddr) ([]string, error) {
	full, err := peer.AddrInfoToP2pAddrs(&peer.AddrInfo{ID: id, Addrs: addrs})
	if err != nil {
		return nil, err
	}
	texts := make([]string, 0, len(full))
	for _, addr := range full {
		texts = append(texts, addr.String())
	}
	return texts, nil
}
