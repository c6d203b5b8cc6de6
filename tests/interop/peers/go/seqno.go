package main

import (
	"reflect"
	"sync/atomic"
	"time"
	"unsafe"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
)

// startedAgo makes the library number messages as it would in a program that
// was started so long ago: it counts from the time of its start, one a
// message, and lets nobody set that. Called before the first message.
func startedAgo(ps *pubsub.PubSub, ago time.Duration) {
	field := reflect.ValueOf(ps).Elem().FieldByName("counter")
	counter := (*uint64)(unsafe.Pointer(field.UnsafeAddr()))
	atomic.AddUint64(counter, -uint64(ago))
}
