// The workloads of watchers. An event counts as delivered when its key and value were read.

package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/mvcc"
)

// readers drain streams, a goroutine each, until all of them together have seen want events.
type readers struct {
	want, got int64
	digest    uint64
	done      chan struct{}
}

func drain(streams []mvcc.WatchStream, want int) *readers {
	r := &readers{want: int64(want), done: make(chan struct{})}
	for _, stream := range streams {
		go r.read(stream.Chan())
	}
	return r
}

func (r *readers) read(responses <-chan mvcc.WatchResponse) {
	for response := range responses {
		var sum uint64
		for i := range response.Events {
			kv := response.Events[i].Kv
			sum += eventSum(kv.Key, kv.Value, kv.ModRevision)
		}
		atomic.AddUint64(&r.digest, sum)
		events := int64(len(response.Events))
		// Exactly one reader steps over the line.
		if got := atomic.AddInt64(&r.got, events); got >= r.want && got-events < r.want {
			close(r.done)
		}
	}
}

func (s *store) streams(count int) []mvcc.WatchStream {
	streams := make([]mvcc.WatchStream, count)
	for i := range streams {
		streams[i] = s.NewWatchStream()
	}
	return streams
}

func closeAll(streams []mvcc.WatchStream) {
	for _, stream := range streams {
		stream.Close()
	}
}

// watchKeys: a watcher for each key, dealt out to 64 streams; each put is one event.
func (b *bench) watchKeys() {
	for _, watchers := range []int{1_000, 10_000} {
		s, keys := b.open(), numberedKeys(watchers)
		s.putMany(keys, b.values, each(watchers), putsPerTxn)
		s.backend.ForceCommit()
		streams := s.streams(watchStreams)
		for i, key := range keys {
			_, err := streams[i%watchStreams].Watch(0, key, nil, 0)
			check(err)
		}
		picked := newRandom(seedWatch, b.round).picks(watchPutCount, watchers)
		r := drain(streams, watchPutCount)
		start := time.Now()
		for i, pick := range picked {
			s.put(keys[pick], b.values[i%valueCount])
		}
		<-r.done
		b.report(fmt.Sprintf("watch, %d keys", watchers), "events/s", watchPutCount,
			time.Since(start), atomic.LoadUint64(&r.digest))
		closeAll(streams)
		s.discard()
	}
}

// watchPrefix: 1000 watchers of one prefix, so that each put is 1000 events. How many streams they
// share matters to etcd, so there are two cases.
func (b *bench) watchPrefix() {
	for _, count := range []int{1, watchStreams} {
		s, keys := b.open(), numberedKeys(prefixKeyCount)
		streams := s.streams(count)
		for i := 0; i < prefixWatchers; i++ {
			_, err := streams[i%count].Watch(0, []byte("k"), []byte("l"), 0)
			check(err)
		}
		events := prefixPutCount * prefixWatchers
		r := drain(streams, events)
		start := time.Now()
		for i := 0; i < prefixPutCount; i++ {
			s.put(keys[i%prefixKeyCount], b.values[i%valueCount])
		}
		<-r.done
		b.report(fmt.Sprintf("watch, 1000 on one prefix, streams: %d", count), "events/s", events,
			time.Since(start), atomic.LoadUint64(&r.digest))
		closeAll(streams)
		s.discard()
	}
}

// catchUp: one watcher of all keys that begins at the first of 20,000 revisions.
func (b *bench) catchUp() {
	s, keys := b.open(), numberedKeys(catchUpKeyCount)
	defer s.discard()
	for i := 0; i < catchUpCount; i++ {
		s.put(keys[i%catchUpKeyCount], b.values[i%valueCount])
	}
	s.backend.ForceCommit()
	start := time.Now()
	streams := s.streams(1)
	defer closeAll(streams)
	_, err := streams[0].Watch(0, []byte{0}, []byte{}, 1)
	check(err)
	r := drain(streams, catchUpCount)
	<-r.done
	b.report("catch-up over 20000 revisions", "events/s", catchUpCount, time.Since(start),
		atomic.LoadUint64(&r.digest))
}
