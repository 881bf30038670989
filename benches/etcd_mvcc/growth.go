// What an operation costs as keys, revisions or watchers become many, and how long single puts take.

package main

import (
	"fmt"
	"sync/atomic"
	"time"
)

func (b *bench) sizes() []int {
	count := 0
	for count < len(grown) && grown[count] <= b.largest {
		count++
	}
	return grown[:count]
}

func (b *bench) growth() {
	for _, size := range b.sizes() { // new keys in any order
		order := newRandom(seedGrowth, b.round).shuffled(size)
		b.putAndGet(fmt.Sprintf("%d keys", size), numberedKeys(size), order)
	}
	for _, size := range b.sizes() { // the same few keys again and again
		order := newRandom(seedGrowth, b.round).picks(size, grownKeys)
		b.putAndGet(fmt.Sprintf("%d revisions", size), numberedKeys(grownKeys), order)
	}
	for _, size := range b.sizes() {
		b.putAmongWatchers(size)
	}
}

func (b *bench) putAndGet(grown string, keys [][]byte, order []int) {
	s := b.open()
	defer s.discard()
	start := time.Now()
	for i, pick := range order {
		s.put(keys[pick], b.values[i%valueCount])
	}
	took := time.Since(start)
	s.settle()
	b.report("growth, put, "+grown, "puts/s", len(order), took, s.digest(keys))
	picked := newRandom(seedGet, b.round).picks(grownGets, len(keys))
	var digest uint64
	start = time.Now()
	for _, pick := range picked {
		digest += s.get(keys[pick])
	}
	b.report("growth, get, "+grown, "gets/s", grownGets, time.Since(start), digest)
}

// putAmongWatchers: watchers of single keys; each put concerns one. The same number of keys is put in
// every case.
func (b *bench) putAmongWatchers(size int) {
	s, keys := b.open(), numberedKeys(size)
	streams := s.streams(watchStreams)
	for i, key := range keys {
		_, err := streams[i%watchStreams].Watch(0, key, nil, 0)
		check(err)
	}
	apart := size / grownKeys
	picked := newRandom(seedGrowth, b.round).picks(grownWatchPuts, grownKeys)
	r := drain(streams, grownWatchPuts)
	start := time.Now()
	for i, pick := range picked {
		s.put(keys[pick*apart], b.values[i%valueCount])
	}
	<-r.done
	b.report(fmt.Sprintf("growth, put and event, %d watchers", size), "puts/s", grownWatchPuts,
		time.Since(start), atomic.LoadUint64(&r.digest))
	closeAll(streams)
	s.discard()
}

// putLatencies: puts of keys that are there, one after the other, as fast as they go.
func (b *bench) putLatencies() {
	s, keys := b.open(), numberedKeys(keyCount)
	defer s.discard()
	s.putMany(keys, b.values, each(keyCount), putsPerTxn)
	s.backend.ForceCommit()
	picked := newRandom(seedLatency, b.round).picks(latencyPuts, keyCount)
	took := make([]time.Duration, latencyPuts)
	for i, pick := range picked {
		start := time.Now()
		s.put(keys[pick], b.values[i%valueCount])
		took[i] = time.Since(start)
	}
	b.latencies("etcd", "put", took, s.digest(keys))
}
