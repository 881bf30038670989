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
		b.watchEach(watchers, "keys", func([]byte) []byte { return nil })
	}
}

// watchMany: the same with many more, and with prefixes of which each put concerns one.
func (b *bench) watchMany() {
	b.watchEach(manyWatchers, "keys", func([]byte) []byte { return nil })
	b.watchEach(manyWatchers, "prefixes", func(key []byte) []byte {
		end := append([]byte{}, key...)
		end[len(end)-1]++ // a digit, so that there is no carry
		return end
	})
}

func (b *bench) watchEach(watchers int, name string, end func(key []byte) []byte) {
	s, keys := b.open(), numberedKeys(watchers)
	s.putMany(keys, b.values, each(watchers), putsPerTxn)
	s.backend.ForceCommit()
	streams := s.streams(watchStreams)
	for i, key := range keys {
		_, err := streams[i%watchStreams].Watch(0, key, end(key), 0)
		check(err)
	}
	picked := newRandom(seedWatch, b.round).picks(watchPutCount, watchers)
	r := drain(streams, watchPutCount)
	start := time.Now()
	for i, pick := range picked {
		s.put(keys[pick], b.values[i%valueCount])
	}
	<-r.done
	b.report(fmt.Sprintf("watch, %d %s", watchers, name), "events/s", watchPutCount,
		time.Since(start), atomic.LoadUint64(&r.digest))
	closeAll(streams)
	s.discard()
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
func (b *bench) catchUp() { b.catchUpOver(catchUpCount, 1) }

// catchUpFar: the same over ten times as many, and with a thousand watchers on 64 streams.
func (b *bench) catchUpFar() {
	b.catchUpOver(farCount, 1)
	b.catchUpOver(catchUpCount, catchUpWatchers)
}

func (b *bench) catchUpOver(puts, watchers int) {
	s, keys := b.open(), numberedKeys(catchUpKeyCount)
	defer s.discard()
	for i := 0; i < puts; i++ {
		s.put(keys[i%catchUpKeyCount], b.values[i%valueCount])
	}
	s.backend.ForceCommit()
	workload, streamCount := fmt.Sprintf("catch-up over %d revisions", puts), 1
	if watchers > 1 {
		workload = fmt.Sprintf("catch-up of %d watchers over %d revisions", watchers, puts)
		streamCount = watchStreams
	}
	start := time.Now()
	streams := s.streams(streamCount)
	defer closeAll(streams)
	r := drain(streams, puts*watchers)
	for i := 0; i < watchers; i++ {
		_, err := streams[i%streamCount].Watch(0, []byte{0}, []byte{}, 1)
		check(err)
	}
	<-r.done
	b.report(workload, "events/s", puts*watchers, time.Since(start), atomic.LoadUint64(&r.digest))
}
