// Opening a store with a long history, and what watchers take in memory.

package main

import (
	"fmt"
	"runtime"
	"time"

	"go.etcd.io/etcd/lease"
	"go.etcd.io/etcd/mvcc"
	"go.etcd.io/etcd/mvcc/backend"
	"go.uber.org/zap"
)

const openedRevisions = 1_000_000

// opens restores stores of 1,000,000 revisions over few keys and over many. etcd has one way to open, so
// its figure stands beside both of ours.
func (b *bench) opens() {
	for _, keyCount := range []int{10_000, 100_000} {
		s := b.open()
		keys := numberedKeys(keyCount)
		picked := make([]int, openedRevisions)
		for number := range picked {
			picked[number] = number * 7_919 % keyCount
		}
		s.putMany(keys, b.values, picked, 1)
		check(s.Close())
		check(s.backend.Close())

		config := backend.DefaultBackendConfig()
		config.Path = s.path
		start := time.Now()
		opened := backend.New(config)
		kv := mvcc.New(zap.NewNop(), opened, &lease.FakeLessor{}, nil, nil, mvcc.StoreConfig{})
		took := time.Since(start)
		must(kv.Rev() == openedRevisions+1, "revision %d", kv.Rev())
		for _, way := range []string{"open", "open without checkpoint"} {
			b.report(fmt.Sprintf("%s, %d keys", way, keyCount), "revisions/s", openedRevisions, took,
				uint64(keyCount))
		}
		(&store{kv, opened, config.Path}).discard()
	}
}

const (
	memoryWatchers = 100_000
	memoryStreams  = 10_000
	indexKeys      = 100_000
	indexChanges   = 8
)

// memory is bytes held for each watcher beyond those that name its key or its bounds, and for each
// stream, by Go's own count after a collection.
func (b *bench) memory() {
	kinds := []struct {
		name string
		end  func(key []byte) []byte
	}{
		{"key", func([]byte) []byte { return nil }},
		{"prefix", func(key []byte) []byte {
			end := append([]byte{}, key...)
			end[len(end)-1]++
			return end
		}},
		{"span", func(key []byte) []byte { return append(append([]byte{}, key...), "~~"...) }},
	}
	for _, kind := range kinds {
		s := b.open()
		before := held()
		streams := s.streams(watchStreams)
		text := 0
		for i := 0; i < memoryWatchers; i++ {
			key := []byte(fmt.Sprintf("k%015d", i*1_000_003%memoryWatchers))
			end := kind.end(key)
			text += len(key) + len(end)
			_, err := streams[i%watchStreams].Watch(0, key, end, 0)
			check(err)
		}
		bytes := held() - before - text
		b.bytes("memory, a watcher of a "+kind.name+", beyond its text", bytes/memoryWatchers)
		closeAll(streams)
		s.discard()
	}
	s := b.open()
	before := held()
	streams := s.streams(memoryStreams)
	b.bytes("memory, a stream", (held()-before)/memoryStreams)
	closeAll(streams)
	s.discard()
	b.indexMemory()
}

// indexMemory is what the store holds of each key, beyond the key's bytes, and of each further revision.
func (b *bench) indexMemory() {
	s := b.open()
	defer s.discard()
	before := held()
	putAll := func(times int) int {
		for i := 0; i < times*indexKeys; i++ {
			s.put([]byte(fmt.Sprintf("k%015d", i%indexKeys*1_000_003%indexKeys)), []byte{0})
		}
		s.settle()
		return (held() - before) / indexKeys
	}
	first := putAll(1)
	b.bytes("memory, a key with one revision, beyond its text", first-16)
	b.bytes("memory, a further revision of a key", (putAll(indexChanges)-first)/indexChanges)
}

func held() int {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

func (b *bench) bytes(workload string, bytes int) {
	b.print(measurement{
		Subject: "etcd", Workload: workload, Unit: "bytes", Value: float64(bytes), Count: 1,
	})
}
