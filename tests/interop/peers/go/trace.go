package main

import (
	"sync"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// tracer counts what the gossip router thinks of its peers, and reports each
// RPC on request.
type tracer struct {
	lock    sync.Mutex
	mesh    map[peer.ID]bool
	streams map[peer.ID]bool
	copies  map[peer.ID]int
	rejects map[peer.ID][]string
	scores  map[peer.ID]*pubsub.PeerScoreSnapshot
	rpcs    bool
}

func newTracer(rpcs bool) *tracer {
	return &tracer{
		mesh:    map[peer.ID]bool{},
		streams: map[peer.ID]bool{},
		copies:  map[peer.ID]int{},
		rejects: map[peer.ID][]string{},
		rpcs:    rpcs,
	}
}

// stats tells what is known about one peer: whether it is in the mesh, whether
// the stream on which it is sent to is open, how many messages it sent that were there already, why messages were refused.
func (t *tracer) stats(id peer.ID) members {
	t.lock.Lock()
	defer t.lock.Unlock()
	stats := members{
		"peer":    id.String(),
		"mesh":    t.mesh[id],
		"stream":  t.streams[id],
		"copies":  t.copies[id],
		"rejects": append([]string{}, t.rejects[id]...),
	}
	if score := t.scores[id]; score != nil {
		stats["score"] = score.Score
		stats["penalty"] = score.BehaviourPenalty
	}
	return stats
}

// inspect takes the scores of all peers, once a second.
func (t *tracer) inspect(scores map[peer.ID]*pubsub.PeerScoreSnapshot) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.scores = scores
}

func (t *tracer) setMesh(id peer.ID, topic string, in bool) {
	what := "prune"
	if in {
		what = "graft"
	}
	emit(what, members{"peer": id.String(), "topic": topic})
	t.lock.Lock()
	defer t.lock.Unlock()
	t.mesh[id] = in
}

func (t *tracer) Graft(id peer.ID, topic string) { t.setMesh(id, topic, true) }
func (t *tracer) Prune(id peer.ID, topic string) { t.setMesh(id, topic, false) }

func (t *tracer) DuplicateMessage(msg *pubsub.Message) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.copies[msg.ReceivedFrom]++
}

func (t *tracer) RejectMessage(msg *pubsub.Message, reason string) {
	t.lock.Lock()
	defer t.lock.Unlock()
	id := msg.ReceivedFrom
	t.rejects[id] = append(t.rejects[id], reason)
}

func (t *tracer) RecvRPC(rpc *pubsub.RPC) { t.report("received", rpc) }
func (t *tracer) SendRPC(rpc *pubsub.RPC, _ peer.ID) {
	t.report("sent", rpc)
}

func (t *tracer) report(way string, rpc *pubsub.RPC) {
	if t.rpcs {
		emit("rpc", members{"way": way, "rpc": rpc.String()})
	}
}

func (t *tracer) RemovePeer(id peer.ID) {
	t.lock.Lock()
	defer t.lock.Unlock()
	delete(t.mesh, id)
	delete(t.streams, id)
}

func (t *tracer) AddPeer(id peer.ID, _ protocol.ID) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.streams[id] = true
}

// Newer releases tell by these two what older ones tell by AddPeer and
// RemovePeer.
func (t *tracer) OnNewOutboundStream(id peer.ID, name protocol.ID) {
	t.AddPeer(id, name)
}

func (t *tracer) OnClosedOutboundStream(id peer.ID) {
	t.RemovePeer(id)
}

func (t *tracer) Join(string)                              {}
func (t *tracer) Leave(string)                             {}
func (t *tracer) ValidateMessage(*pubsub.Message)          {}
func (t *tracer) DeliverMessage(*pubsub.Message)           {}
func (t *tracer) ThrottlePeer(peer.ID)                     {}
func (t *tracer) DropRPC(rpc *pubsub.RPC, id peer.ID)      {}
func (t *tracer) UndeliverableMessage(msg *pubsub.Message) {}
