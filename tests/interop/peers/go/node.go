package main

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
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
// With test streams it has no limits of its own: its usual ones end below the
// 1,000 streams that a test opens.
func newHost(set settings) (host.Host, error) {
	self, err := identity(set.keyType)
	if err != nil {
		return nil, err
	}
	security := []libp2p.Option{
		libp2p.Security(noise.ID, noise.New),
		libp2p.Security(tls.ID, tls.New),
	}
	if set.tlsFirst {
		slices.Reverse(security)
	}
	var limits []libp2p.Option
	if set.streams {
		limits = append(limits,
			libp2p.ResourceManager(&network.NullResourceManager{}))
	}
	return libp2p.New(
		self,
		libp2p.ChainOptions(limits...),
		libp2p.ListenAddrStrings(set.listen),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.ChainOptions(security...),
		libp2p.UserAgent(agent),
		libp2p.DisableRelay(),
	)
}

// newPubSub sets that program's gossip figures.
func newPubSub(ctx context.Context, h host.Host,
	trace *tracer, set settings) (*pubsub.PubSub, error) {
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
	if set.aloof {
		params.D, params.Dlo, params.Dhi = 0, 0, 0
		params.Dscore, params.Dout = 0, 0
	}
	options := []pubsub.Option{
		pubsub.WithGossipSubParams(params),
		pubsub.WithFloodPublish(!set.aloof),
		pubsub.WithPeerExchange(true),
		pubsub.WithRawTracer(trace),
	}
	if set.score {
		options = append(options, scoring(set.topic, trace)...)
	}
	return pubsub.NewGossipSub(ctx, h, options...)
}

// validator reports each message of others, accepted or not, as the program
// would meet it.
func validator(self peer.ID, plain bool) pubsub.ValidatorEx {
	return func(_ context.Context, _ peer.ID,
		msg *pubsub.Message) pubsub.ValidationResult {
		m, err := decode(msg.Data)
		verdict, shown, complaint := "accept", any(nil), any(nil)
		if plain {
			err = nil
			shown = string(msg.Data)
		} else if err != nil {
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

// addGossipStreams adds the protocols of the gossip streams that are open.
func addGossipStreams(h host.Host, id peer.ID, stats members) {
	stats["gossip_in"], stats["gossip_out"] = nil, nil
	for _, conn := range h.Network().ConnsToPeer(id) {
		for _, s := range conn.GetStreams() {
			name := string(s.Protocol())
			if !strings.HasPrefix(name, "/meshsub/") &&
				!strings.HasPrefix(name, "/floodsub/") {
				continue
			}
			if s.Stat().Direction == network.DirInbound {
				stats["gossip_in"] = name
			} else {
				stats["gossip_out"] = name
			}
		}
	}
}

// scoring keeps scores as a program that takes gossipsub 1.1 seriously: a
// topic with deliveries that count and bad messages that cost.
func scoring(topic string, trace *tracer) []pubsub.Option {
	decay := pubsub.ScoreParameterDecay
	params := &pubsub.PeerScoreParams{
		Topics: map[string]*pubsub.TopicScoreParams{topic: {
			TopicWeight:                    1,
			TimeInMeshWeight:               0.01,
			TimeInMeshQuantum:              time.Second,
			TimeInMeshCap:                  100,
			FirstMessageDeliveriesWeight:   0.5,
			FirstMessageDeliveriesDecay:    decay(time.Minute),
			FirstMessageDeliveriesCap:      50,
			InvalidMessageDeliveriesWeight: -100,
			InvalidMessageDeliveriesDecay:  decay(time.Hour),
		}},
		AppSpecificScore:       func(peer.ID) float64 { return 0 },
		BehaviourPenaltyWeight: -10,
		BehaviourPenaltyDecay:  decay(10 * time.Minute),
		DecayInterval:          time.Second,
		DecayToZero:            0.01,
		RetainScore:            time.Hour,
	}
	return []pubsub.Option{
		pubsub.WithPeerScore(params, &pubsub.PeerScoreThresholds{
			GossipThreshold:   -10,
			PublishThreshold:  -50,
			GraylistThreshold: -80,
		}),
		pubsub.WithPeerScoreInspect(trace.inspect, time.Second),
	}
}
