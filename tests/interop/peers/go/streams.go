package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// The test streams of tests/interop/README.md, both sides.
const (
	protoEcho   = protocol.ID("/p2pchat-test/echo/1")
	protoSink   = protocol.ID("/p2pchat-test/sink/1")
	protoSource = protocol.ID("/p2pchat-test/source/1")
	protoReset  = protocol.ID("/p2pchat-test/reset/1")
	protoFill   = protocol.ID("/p2pchat-test/fill/1")
	chunkBytes  = 65536
)

// fillRounds is two rounds of what the fill protocol carries.
var fillRounds = func() []byte {
	round := make([]byte, chunkBytes, 2*chunkBytes)
	fill(round, 0)
	return append(round, round...)
}()

func fill(chunk []byte, offset int64) {
	for k := range chunk {
		i := offset + int64(k)
		chunk[k] = byte(i ^ i>>8 ^ i>>16)
	}
}

// sendPattern writes the bytes from one offset to another; sum may be nil.
func sendPattern(w io.Writer, from, to int64, sum hash.Hash) error {
	chunk := make([]byte, chunkBytes)
	for from < to {
		part := chunk[:min(chunkBytes, to-from)]
		fill(part, from)
		if sum != nil {
			sum.Write(part)
		}
		if _, err := w.Write(part); err != nil {
			return err
		}
		from += int64(len(part))
	}
	return nil
}

func patternSum(length int64) string {
	sum := sha256.New()
	sendPattern(io.Discard, 0, length, sum)
	return hex.EncodeToString(sum.Sum(nil))
}

// ---- the side that accepts

func serveStreams(h host.Host) {
	serve := func(id protocol.ID, work func(network.Stream) error) {
		h.SetStreamHandler(id, func(s network.Stream) {
			if err := work(s); err != nil {
				s.Reset()
				return
			}
			s.Close()
		})
	}
	serve(protoEcho, func(s network.Stream) error {
		_, err := io.Copy(s, s)
		return err
	})
	serve(protoSink, func(s network.Stream) error {
		sum := sha256.New()
		n, err := io.Copy(sum, s)
		if err == nil {
			_, err = fmt.Fprintf(s, "%d %x\n", n, sum.Sum(nil))
		}
		return err
	})
	serve(protoSource, func(s network.Stream) error {
		in := bufio.NewReader(s)
		n, err := binary.ReadUvarint(in)
		if err != nil {
			return err
		}
		if err := sendPattern(s, 0, int64(n), nil); err != nil {
			return err
		}
		s.CloseWrite()
		_, err = io.Copy(io.Discard, in)
		return err
	})
	serve(protoFill, func(s network.Stream) error {
		in := bufio.NewReader(s)
		n, err := binary.ReadUvarint(in)
		if err != nil {
			return err
		}
		for left := int64(n); left > 0; left -= chunkBytes {
			_, err := s.Write(fillRounds[:min(chunkBytes, left)])
			if err != nil {
				return err
			}
		}
		s.CloseWrite()
		_, err = io.Copy(io.Discard, in)
		return err
	})
	serve(protoReset, func(s network.Stream) error {
		one := make([]byte, 1)
		if _, err := io.ReadFull(s, one); err != nil {
			return err
		}
		return errors.New("reset as asked")
	})
}

// ---- the side that opens

// gate lets its callers on once as many wait as it was made for.
type gate struct {
	lock sync.Mutex
	left int
	open chan struct{}
}

func (g *gate) arrive() {
	g.lock.Lock()
	g.left--
	if g.left == 0 {
		close(g.open)
	}
	g.lock.Unlock()
}

func openEcho(s network.Stream, bytes int64, g *gate) error {
	sent := make(chan error, 1)
	in := bufio.NewReader(s)
	from := int64(0)
	if g != nil {
		if err := sendPattern(s, 0, 1, nil); err != nil {
			return err
		}
		if _, err := in.Peek(1); err != nil {
			return err
		}
		from = 1
		g.arrive()
		<-g.open
	}
	go func() {
		err := sendPattern(s, from, bytes, nil)
		if err == nil {
			err = s.CloseWrite()
		}
		sent <- err
	}()
	sum := sha256.New()
	n, err := io.Copy(sum, in)
	if err == nil {
		err = <-sent
	}
	if err == nil && n != bytes {
		err = fmt.Errorf("%d bytes came back", n)
	}
	if err == nil && hex.EncodeToString(sum.Sum(nil)) != patternSum(bytes) {
		err = errors.New("other bytes came back")
	}
	return err
}

func openSink(s network.Stream, bytes int64) error {
	sum := sha256.New()
	if err := sendPattern(s, 0, bytes, sum); err != nil {
		return err
	}
	if err := s.CloseWrite(); err != nil {
		return err
	}
	answer, err := io.ReadAll(s)
	if err != nil {
		return err
	}
	if string(answer) != fmt.Sprintf("%d %x\n", bytes, sum.Sum(nil)) {
		return fmt.Errorf("answer %q", answer)
	}
	return nil
}

func openSource(s network.Stream, bytes int64) error {
	head := binary.AppendUvarint(nil, uint64(bytes))
	if _, err := s.Write(head); err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(sum, s)
	if err != nil {
		return err
	}
	if n != bytes || hex.EncodeToString(sum.Sum(nil)) != patternSum(bytes) {
		return fmt.Errorf("%d bytes came, or other ones", n)
	}
	return s.CloseWrite()
}

func openFill(s network.Stream, length int64) error {
	head := binary.AppendUvarint(nil, uint64(length))
	if _, err := s.Write(head); err != nil {
		return err
	}
	chunk := make([]byte, chunkBytes)
	count := int64(0)
	for {
		n, err := s.Read(chunk)
		want := fillRounds[count%chunkBytes:]
		if !bytes.Equal(chunk[:n], want[:n]) {
			return errors.New("other bytes came")
		}
		count += int64(n)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if count != length {
		return fmt.Errorf("%d bytes came", count)
	}
	return s.CloseWrite()
}

func openReset(s network.Stream) error {
	if _, err := s.Write([]byte("r")); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, s)
	if err == nil {
		return errors.New("an end instead of a reset")
	}
	return err
}

func openStream(ctx context.Context, h host.Host, id peer.ID, cmd command,
	g *gate) error {
	proto := protocol.ID(cmd.Proto)
	s, err := h.NewStream(ctx, id, proto)
	if err != nil {
		return err
	}
	defer s.Close()
	switch proto {
	case protoEcho:
		err = openEcho(s, cmd.Bytes, g)
	case protoSink:
		err = openSink(s, cmd.Bytes)
	case protoSource:
		err = openSource(s, cmd.Bytes)
	case protoReset:
		err = openReset(s)
	case protoFill:
		err = openFill(s, cmd.Bytes)
	default:
		// The name is only proposed: the answer comes with the first read.
		s.CloseWrite()
		_, err = io.Copy(io.Discard, s)
	}
	if err != nil {
		s.Reset()
	}
	return err
}

// batch is the outcome of one `stream` command.
type batch struct {
	lock                         sync.Mutex
	ok, failed, reset, now, most int
	text                         any
	sum                          any
}

func (b *batch) opened() {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.now++
	b.most = max(b.most, b.now)
}

func (b *batch) ended(proto protocol.ID, err error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	b.now--
	isReset := errors.Is(err, network.ErrReset)
	if isReset {
		b.reset++
	}
	if err == nil || (isReset && proto == protoReset) {
		b.ok++
		return
	}
	b.failed++
	if b.text == nil {
		b.text = err.Error()
	}
}

func runStreams(h host.Host, id peer.ID, cmd command) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	count, width := 1, 0
	if cmd.Count != nil {
		count = *cmd.Count
	}
	width = count
	if cmd.Width != nil {
		width = *cmd.Width
	}
	var g *gate
	if width == 0 {
		width = count
		if protocol.ID(cmd.Proto) == protoEcho {
			g = &gate{left: count, open: make(chan struct{})}
		}
	}
	b := &batch{}
	began := time.Now()
	slots := make(chan struct{}, width)
	var all sync.WaitGroup
	for range make([]struct{}, count) {
		slots <- struct{}{}
		all.Add(1)
		go func() {
			defer all.Done()
			b.opened()
			err := openStream(ctx, h, id, cmd, g)
			if err != nil && g != nil {
				g.arrive() // the others do not wait for it
			}
			b.ended(protocol.ID(cmd.Proto), err)
			<-slots
		}()
	}
	all.Wait()
	proto := protocol.ID(cmd.Proto)
	if b.ok > 0 && (proto == protoEcho || proto == protoSink ||
		proto == protoSource) {
		b.sum = patternSum(cmd.Bytes)
	}
	emit("stream_done", members{
		"peer": cmd.Peer, "proto": cmd.Proto, "count": count,
		"bytes": cmd.Bytes, "ok": b.ok, "failed": b.failed,
		"reset": b.reset, "ms": time.Since(began).Milliseconds(),
		"open": b.most, "sha256": b.sum, "text": b.text,
	})
}
