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
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/multiformats/go-multiaddr"
)

const (
	// No peer outlives the test that forgot it.
	life        = 10 * time.Minute
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
	keyType  string
}

type chat struct {
	host  host.Host
	topic *pubsub.Topic
	name  string
	trace *tracer
}

type command struct {
	Cmd  string `json:"cmd"`
	Addr string `json:"addr"`
	Text string `json:"text"`
	Data string `json:"data"`
	Peer string `json:"peer"`
}

func main() {
	var set settings
	flag.StringVar(&set.topic, "topic", "p2p-chat-default", "the room")
	flag.StringVar(&set.name, "name", "user_1234", "the name claimed")
	flag.StringVar(&set.listen, "listen", "/ip4/127.0.0.1/tcp/0",
		"the address to listen at")
	flag.BoolVar(&set.mdns, "mdns", false, "look for others on the LAN")
	flag.BoolVar(&set.tlsFirst, "tls-first", false, "propose TLS first")
	flag.BoolVar(&set.trace, "trace", false, "report every RPC")
	flag.StringVar(&set.keyType, "key-type", "ed25519", "the kind of its key")
	flag.Parse()

	ctx, cancel := context.WithTimeout(context.Background(), life)
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
	h, err := newHost(set.listen, set.tlsFirst, set.keyType)
	if err != nil {
		return err
	}
	defer h.Close()
	if err := watchConnections(h); err != nil {
		return err
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
		service, err := startMdns(h)
		if err != nil {
			return err
		}
		defer service.Close()
	}
	emit("ready", members{
		"peer_id":  h.ID().String(),
		"addrs":    addrs,
		"dialect":  "native",
		"topic":    set.topic,
		"versions": versions(),
	})
	go c.join(ctx)
	c.obey(ctx)
	return nil
}

func openChat(ctx context.Context, h host.Host, set settings) (*chat, error) {
	trace := newTracer(set.trace)
	ps, err := newPubSub(ctx, h, trace)
	if err != nil {
		return nil, err
	}
	err = ps.RegisterTopicValidator(set.topic, validator(h.ID()))
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
	return &chat{host: h, topic: topic, name: set.name, trace: trace}, nil
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
	end := time.Now().Add(joinWait)
	for len(c.topic.ListPeers()) == 0 && time.Now().Before(end) {
		time.Sleep(100 * time.Millisecond)
	}
	if err := c.publish(ctx, "join", ""); err != nil {
		emitError("join", err)
	}
}

func (c *chat) publish(ctx context.Context, kind, text string) error {
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
	case "stats", "hangup":
		id, err := peer.Decode(cmd.Peer)
		if err != nil {
			return err
		}
		if cmd.Cmd == "hangup" {
			return c.host.Network().ClosePeer(id)
		}
		emit("stats", c.trace.stats(id))
		return nil
	}
	return errors.New("no such command")
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
