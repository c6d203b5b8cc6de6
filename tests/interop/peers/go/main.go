// A go-libp2p gossipsub peer that speaks the JSON of the Go program
// p2p-chat-go and judges what arrives as that program's validator does.
// Control: JSON lines both ways, as tests/interop/README.md says.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/multiformats/go-multiaddr"
)

const (
	joinWait    = 30 * time.Second
	commandTime = 10 * time.Second
	maxCommand  = 1 << 20
)

type settings struct {
	topic    string
	name     string
	listen   string
	tlsFirst bool
	trace    bool
	mdns     bool
	service  string
	keyType  string
	dialect  string
	streams  bool
	aloof    bool
	px       bool
	score    bool
	minutes  int
	ago      time.Duration
}

type chat struct {
	host  host.Host
	topic *pubsub.Topic
	sub   *pubsub.Subscription
	name  string
	trace *tracer
	plain bool
}

type command struct {
	Cmd  string `json:"cmd"`
	Addr string `json:"addr"`
	Text string `json:"text"`
	Data string `json:"data"`
	Peer string `json:"peer"`

	// Of test streams; a count and a width that are not given have meanings
	// of their own.
	Proto string `json:"proto"`
	Bytes int64  `json:"bytes"`
	Count *int   `json:"count"`
	Width *int   `json:"width"`
}

func main() {
	var set settings
	flag.StringVar(&set.topic, "topic", "p2p-chat-default", "the room")
	flag.StringVar(&set.name, "name", "user_1234", "the name claimed")
	flag.StringVar(&set.listen, "listen", "/ip4/127.0.0.1/tcp/0",
		"the address to listen at")
	flag.StringVar(&set.dialect, "dialect", "native", "native or plain")
	flag.BoolVar(&set.streams, "streams", false, "serve the test streams")
	flag.BoolVar(&set.aloof, "aloof", false, "stay out of every mesh")
	flag.BoolVar(&set.px, "px", false, "peer exchange, which is on anyway")
	flag.BoolVar(&set.score, "score", false, "keep scores of peers")
	flag.IntVar(&set.minutes, "minutes", 10, "the end of its life")
	flag.DurationVar(&set.ago, "started-ago", 0, "count messages from then")
	flag.BoolVar(&set.mdns, "mdns", false, "look for others on the LAN")
	flag.StringVar(&set.service, "mdns-service", "", "its name there")
	flag.BoolVar(&set.tlsFirst, "tls-first", false, "propose TLS first")
	flag.BoolVar(&set.trace, "trace", false, "report every RPC")
	flag.StringVar(&set.keyType, "key-type", "ed25519", "the kind of its key")
	flag.Parse()

	// No peer outlives the test that forgot it.
	ctx, cancel := context.WithTimeout(context.Background(),
		time.Duration(set.minutes)*time.Minute)
	defer cancel()
	context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			os.Exit(3)
		}
	})
	if err := run(ctx, set); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, set settings) error {
	h, err := newHost(set)
	if err != nil {
		return err
	}
	defer h.Close()
	if err := watchConnections(h); err != nil {
		return err
	}
	if set.streams {
		serveStreams(h)
	}
	c, err := openChat(ctx, h, set)
	if err != nil {
		return err
	}
	addrs, err := fullAddrs(h.ID(), h.Addrs())
	if err != nil {
		return err
	}
	if set.mdns {
		service, err := startMdns(h, set.service)
		if err != nil {
			return err
		}
		defer service.Close()
	}
	emit("ready", members{
		"peer_id":  h.ID().String(),
		"addrs":    addrs,
		"dialect":  set.dialect,
		"topic":    set.topic,
		"versions": versions(),
	})
	go c.join(ctx)
	c.obey(ctx)
	return nil
}

func openChat(ctx context.Context, h host.Host, set settings) (*chat, error) {
	trace := newTracer(set.trace)
	ps, err := newPubSub(ctx, h, trace, set)
	if err != nil {
		return nil, err
	}
	startedAgo(ps, set.ago)
	err = ps.RegisterTopicValidator(set.topic, validator(h.ID(), set.dialect == "plain"))
	if err != nil {
		return nil, err
	}
	topic, err := ps.Join(set.topic)
	if err != nil {
		return nil, err
	}
	sub, err := topic.Subscribe()
	if err != nil {
		return nil, err
	}
	events, err := topic.EventHandler()
	if err != nil {
		return nil, err
	}
	go drain(ctx, sub)
	go watchTopic(ctx, events, set.topic)
	return &chat{host: h, topic: topic, sub: sub, name: set.name,
		trace: trace, plain: set.dialect == "plain"}, nil
}

// drain takes what the validator already reported.
func drain(ctx context.Context, sub *pubsub.Subscription) {
	for {
		if _, err := sub.Next(ctx); err != nil {
			return
		}
	}
}

func watchTopic(ctx context.Context, events *pubsub.TopicEventHandler,
	topicName string) {
	for {
		e, err := events.NextPeerEvent(ctx)
		if err != nil {
			return
		}
		what := "subscribed"
		if e.Type == pubsub.PeerLeave {
			what = "unsubscribed"
		}
		emit(what, members{"peer": e.Peer.String(), "topic": topicName})
	}
}

// join announces the peer as the program does: once, when somebody is in the
// topic, after waiting for that at most half a minute.
func (c *chat) join(ctx context.Context) {
	if c.plain {
		return
	}
	end := time.Now().Add(joinWait)
	for len(c.topic.ListPeers()) == 0 && time.Now().Before(end) {
		time.Sleep(100 * time.Millisecond)
	}
	if err := c.publish(ctx, "join", c.name+" joined the chat"); err != nil {
		emitError("join", err)
	}
}

func (c *chat) publish(ctx context.Context, kind, text string) error {
	if c.plain {
		return c.topic.Publish(ctx, []byte(text))
	}
	data, err := encode(kind, text, c.name, c.host.ID().String())
	if err != nil {
		return err
	}
	return c.topic.Publish(ctx, data)
}

// obey runs the commands one after the other until stdin ends. A command that
// fails is reported and does not end the peer.
func (c *chat) obey(ctx context.Context) {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxCommand)
	for lines.Scan() {
		var cmd command
		if err := json.Unmarshal(lines.Bytes(), &cmd); err != nil {
			emitError("", err)
			continue
		}
		if cmd.Cmd == "quit" {
			return
		}
		if err := c.do(ctx, cmd); err != nil {
			emitError(cmd.Cmd, err)
			continue
		}
		emit("done", members{"cmd": cmd.Cmd})
	}
}

func (c *chat) do(ctx context.Context, cmd command) error {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	switch cmd.Cmd {
	case "dial":
		return c.dial(ctx, cmd.Addr)
	case "say":
		return c.publish(ctx, "message", cmd.Text)
	case "raw":
		return c.topic.Publish(ctx, []byte(cmd.Data))
	case "ping":
		return c.ping(ctx, cmd.Peer)
	case "leave":
		c.sub.Cancel()
		return nil
	case "join":
		return c.enter()
	case "push":
		c.host.SetStreamHandler("/p2pchat-test/pushed/1",
			func(s network.Stream) { s.Close() })
		return nil
	case "stats", "hangup", "stream", "known":
		id, err := peer.Decode(cmd.Peer)
		if err != nil {
			return err
		}
		if cmd.Cmd == "hangup" {
			return c.host.Network().ClosePeer(id)
		}
		c.tell(cmd, id)
		return nil
	}
	return errors.New("no such command")
}

// enter subscribes again after a `leave`.
func (c *chat) enter() error {
	sub, err := c.topic.Subscribe()
	if err != nil {
		return err
	}
	c.sub = sub
	go drain(context.Background(), sub)
	return nil
}

// tell answers a command that asks about a peer.
func (c *chat) tell(cmd command, id peer.ID) {
	switch cmd.Cmd {
	case "stream":
		runStreams(c.host, id, cmd)
	case "known":
		reportIdentity(c.host, id)
	case "stats":
		stats := c.trace.stats(id)
		addGossipStreams(c.host, id, stats)
		emit("stats", stats)
	}
}

func (c *chat) dial(ctx context.Context, text string) error {
	addr, err := multiaddr.NewMultiaddr(text)
	if err != nil {
		return err
	}
	info, err := peer.AddrInfoFromP2pAddr(addr)
	if err != nil {
		return err
	}
	return c.host.Connect(ctx, *info)
}

func (c *chat) ping(ctx context.Context, text string) error {
	id, err := peer.Decode(text)
	if err != nil {
		return err
	}
	result := <-ping.Ping(ctx, c.host, id)
	if result.Error != nil {
		return result.Error
	}
	emit("pong", members{"peer": text, "ms": result.RTT.Milliseconds()})
	return nil
}
