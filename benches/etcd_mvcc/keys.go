// The workloads of writers and readers.

package main

import (
	"time"

	"go.etcd.io/etcd/mvcc"
	"go.etcd.io/etcd/pkg/traceutil"
)

// puts: one put a transaction, and the sync at the end belongs to it.
func (b *bench) puts() {
	s, keys := b.open(), numberedKeys(keyCount)
	defer s.discard()
	picked := newRandom(seedPut, b.round).picks(putCount, keyCount)
	start := time.Now()
	for i, pick := range picked {
		s.put(keys[pick], b.values[i%valueCount])
	}
	s.backend.ForceCommit()
	b.report("put", "puts/s", putCount, time.Since(start), s.digest(keys))
}

// putsInTxns: the same, 100 puts a transaction.
func (b *bench) putsInTxns() {
	s, keys := b.open(), numberedKeys(keyCount)
	defer s.discard()
	picked := newRandom(seedPutTxn, b.round).picksForTxns(putCount, keyCount)
	start := time.Now()
	s.putMany(keys, b.values, picked, putsPerTxn)
	s.backend.ForceCommit()
	b.report("put, 100 a transaction", "puts/s", putCount, time.Since(start), s.digest(keys))
}

// gets reads a store of 100k keys with two revisions each: single keys, then ranges.
func (b *bench) gets() {
	s, keys := b.filled()
	defer s.discard()
	s.settle()
	picked := newRandom(seedGet, b.round).picks(getCount, keyCount)
	var digest uint64
	start := time.Now()
	for _, pick := range picked {
		digest += s.get(keys[pick])
	}
	b.report("get", "gets/s", getCount, time.Since(start), digest)

	picked = newRandom(seedRange, b.round).picks(rangeCount, keyCount/keysPerRange)
	b.ranges("range of 1000 keys", s, keys, picked)
	// etcd knows no other way than to copy.
	b.ranges("range of 1000 keys, copied", s, keys, picked)
}

func (b *bench) ranges(workload string, s *store, keys [][]byte, picked []int) {
	var digest uint64
	start := time.Now()
	for _, pick := range picked {
		first := keys[pick*keysPerRange]
		found := s.prefix(first[:len(first)-3])
		must(len(found.KVs) == keysPerRange, "%d keys in the range", len(found.KVs))
		for i := range found.KVs {
			digest += kvSum(found.KVs[i].Key, found.KVs[i].Value)
		}
	}
	b.report(workload, "ranges/s", rangeCount, time.Since(start), digest)
}

// pairs: put a key, read it back at once. etcd copies its buffer of recent writes for each read, so
// the pairs follow a burst of writes, as they would in use.
func (b *bench) pairs() {
	s, keys := b.filled()
	defer s.discard()
	s.settle()
	picked := newRandom(seedPairs, b.round).picks(burstCount+pairCount, keyCount)
	s.putMany(keys, b.values, picked[:burstCount], 1)
	s.backend.ForceCommit()
	var digest uint64
	start := time.Now()
	for i, pick := range picked[burstCount:] {
		s.put(keys[pick], b.values[i%valueCount])
		digest += s.get(keys[pick])
	}
	b.report("put, then get it", "pairs/s", pairCount, time.Since(start), digest)
}

// compaction: 200k revisions of 10k keys are compacted at the newest. One batch of the compaction
// takes them all, because etcd pauses for 10 ms between two.
func (b *bench) compaction() {
	s, keys := b.openWith(mvcc.StoreConfig{CompactionBatchLimit: 10 * compactPutCount}), numberedKeys(compactKeyCount)
	defer s.discard()
	picked := newRandom(seedCompaction, b.round).picks(compactPutCount, compactKeyCount)
	s.putMany(keys, b.values, picked, 1)
	s.backend.ForceCommit()
	start := time.Now()
	done, err := s.Compact(traceutil.TODO(), s.Rev())
	check(err)
	<-done
	b.report("compaction", "revisions/s", compactPutCount, time.Since(start), s.digest(keys))
}

// filled has every key put once in order and then as many puts of random keys.
func (b *bench) filled() (*store, [][]byte) {
	s, keys := b.open(), numberedKeys(keyCount)
	s.putMany(keys, b.values, each(keyCount), putsPerTxn)
	s.putMany(keys, b.values, newRandom(seedFill, b.round).picksForTxns(keyCount, keyCount), putsPerTxn)
	return s, keys
}

// settle waits until nothing is left of the write buffer that reads have to copy: its best case.
func (s *store) settle() {
	for i := 0; i < 2; i++ {
		s.backend.ForceCommit()
		time.Sleep(120 * time.Millisecond)
	}
}

func (s *store) get(key []byte) uint64 {
	found, err := s.Range(key, nil, mvcc.RangeOptions{})
	check(err)
	must(len(found.KVs) == 1, "%d answers for one key", len(found.KVs))
	return kvSum(found.KVs[0].Key, found.KVs[0].Value)
}

// prefix reads all keys that begin with prefix, whose last byte is not the greatest.
func (s *store) prefix(prefix []byte) *mvcc.RangeResult {
	end := append([]byte(nil), prefix...)
	end[len(end)-1]++
	found, err := s.Range(prefix, end, mvcc.RangeOptions{})
	check(err)
	return found
}

// digest reads the whole store, after the clock has stopped.
func (s *store) digest(keys [][]byte) uint64 {
	return s.digestFrom(keys[0])
}

// digestFrom reads all keys from one on.
func (s *store) digestFrom(first []byte) uint64 {
	found, err := s.Range(first, []byte{}, mvcc.RangeOptions{})
	check(err)
	var digest uint64
	for i := range found.KVs {
		digest += kvSum(found.KVs[i].Key, found.KVs[i].Value)
	}
	return digest
}
