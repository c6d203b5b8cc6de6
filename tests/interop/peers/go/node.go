package main

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	tls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

// The name by which the tests know this peer in identify.
const agent = "go-seed-peer"

// newHost offers what the Go program p2p-chat-go offers over TCP: Noise before
// TLS, and Yamux alone. Newer go-libp2p proposes TLS first.
func newHost(listen string, tlsFirst bool, keyType string) (host.Host,
	error) {
	self, err := identity(keyType)
	if err != nil {
		return nil, err
	}
	security := []libp2p.Option{
		libp2p.Security(noise.ID, noise.New),
		libp2p.Security(tls.ID, tls.New),
	}
	if tlsFirst {
		slices.Reverse(security)
	}
	return libp2p.New(
		self,
		libp2p.ListenAddrStrings(listen),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.ChainOptions(security...),
		libp2p.UserAgent(agent),
		libp2p.DisableRelay(),
	)
}

// newPubSub sets that program's gossip figures.
func newPubSub(ctx context.Context, h host.Host,
	trace *tracer) (*pubsub.PubSub, error) {
	params := pubsub.DefaultGossipSubParams()
	params.D = 4
	params.Dlo = 3
	params.Dhi = 6
	// One less than it sets: current releases refuse half of D.
	params.Dout = 1
	params.Dlazy = 4
	params.HeartbeatInterval = 700 * time.Millisecond
	params.FanoutTTL = 90 * time.Second
	params.HistoryLength = 6
	params.HistoryGossip = 3
	return pubsub.NewGossipSub(ctx, h,
		pubsub.WithGossipSubParams(params),
		pubsub.WithFloodPublish(true),
		pubsub.WithPeerExchange(true),
		pubsub.WithRawTracer(trace),
	)
}

// validator reports each message of others, accepted or not, as the program
// would meet it.
func validator(self peer.ID) pubsub.ValidatorEx {
	return func(_ context.Context, _ peer.ID,
		msg *pubsub.Message) pubsub.ValidationResult {
		m, err := decode(msg.Data)
		verdict, shown, complaint := "accept", any(nil), any(nil)
		if err != nil {
			verdict, complaint = "reject", err.Error()
		} else {
			shown = show(m)
		}
		if msg.GetFrom() != self {
			emit("message", members{
				"from":      msg.GetFrom().String(),
				"topic":     msg.GetTopic(),
				"data":      string(msg.Data),
				"json":      parseJSON(msg.Data),
				"shown":     shown,
				"verdict":   verdict,
				"complaint": complaint,
			})
		}
		if err != nil {
			return pubsub.ValidationReject
		}
		return pubsub.ValidationAccept
	}
}

func parseJSON(data []byte) any {
	var value any
	if json.Unmarshal(data, &value) != nil {
		return nil
	}
	return value
}

// watchConnections reports peers, not connections: the first and the last.
func watchConnections(h host.Host) error {
	sub, err := h.EventBus().Subscribe([]any{
		new(event.EvtPeerConnectednessChanged),
		new(event.EvtPeerIdentificationCompleted),
	})
	if err != nil {
		return err
	}
	go func() {
		for got := range sub.Out() {
			switch e := got.(type) {
			case event.EvtPeerConnectednessChanged:
				reportConnectedness(h, e)
			case event.EvtPeerIdentificationCompleted:
				reportIdentity(h, e.Peer)
			}
		}
	}()
	return nil
}

func reportConnectedness(h host.Host, e event.EvtPeerConnectednessChanged) {
	if e.Connectedness != network.Connected {
		emit("disconnected", members{"peer": e.Peer.String()})
		return
	}
	m := members{"peer": e.Peer.String()}
	if conns := h.Network().ConnsToPeer(e.Peer); len(conns) > 0 {
		state := conns[0].ConnState()
		m["muxer"] = state.StreamMultiplexer
		m["security"] = state.Security
		m["early"] = state.UsedEarlyMuxerNegotiation
		m["direction"] = conns[0].Stat().Direction.String()
		m["addr"] = conns[0].RemoteMultiaddr().String()
	}
	emit("connected", m)
}

func reportIdentity(h host.Host, id peer.ID) {
	agent, _ := h.Peerstore().Get(id, "AgentVersion")
	protocols, _ := h.Peerstore().GetProtocols(id)
	listen := []string{}
	for _, addr := range h.Peerstore().Addrs(id) {
		listen = append(listen, addr.String())
	}
	emit("identified", members{
		"peer":      id.String(),
		"agent":     agent,
		"protocols": protocols,
		"listen":    listen,
	})
}
