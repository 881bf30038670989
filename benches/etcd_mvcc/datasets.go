// The workloads on data that is not uniform.

package main

import (
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/lease"
	"go.etcd.io/etcd/pkg/traceutil"
)

func (b *bench) datasets() {
	b.zipf()
	b.kubernetes()
	b.kubernetesWatched()
}

// zipf: puts and gets of keys picked by Zipf's law among those that are there.
func (b *bench) zipf() {
	s, keys := b.open(), numberedKeys(keyCount)
	defer s.discard()
	s.putMany(keys, b.values, each(keyCount), putsPerTxn)
	s.backend.ForceCommit()
	picked := newRandom(seedZipf, b.round).picksByZipf(putCount+getCount, keyCount)
	start := time.Now()
	for i, pick := range picked[:putCount] {
		s.put(keys[pick], b.values[i%valueCount])
	}
	s.backend.ForceCommit()
	b.report("put, Zipf", "puts/s", putCount, time.Since(start), s.digest(keys))
	s.settle()
	var digest uint64
	start = time.Now()
	for _, pick := range picked[putCount:] {
		digest += s.get(keys[pick])
	}
	b.report("get, Zipf", "gets/s", getCount, time.Since(start), digest)
}

// kubernetes: updates, gets and lists of a cluster's objects.
func (b *bench) kubernetes() {
	s, c := b.open(), newCluster(objectCount, b.round)
	defer s.discard()
	s.create(c)
	updates, picked, lists := c.updates(objectPuts), c.picks(objectGets), c.lists(objectLists)
	start := time.Now()
	for _, u := range updates {
		s.put(c.pair(u))
	}
	s.backend.ForceCommit()
	b.report("put, Kubernetes", "puts/s", objectPuts, time.Since(start), s.digestFrom([]byte("/")))
	s.settle()
	var digest uint64
	start = time.Now()
	for _, pick := range picked {
		digest += s.get(c.keys[pick])
	}
	b.report("get, Kubernetes", "gets/s", objectGets, time.Since(start), digest)
	digest, start = 0, time.Now()
	for _, prefix := range lists {
		for _, kv := range s.prefix(prefix).KVs {
			digest += kvSum(kv.Key, kv.Value)
		}
	}
	b.report("list of a namespace's pods, Kubernetes", "lists/s", objectLists, time.Since(start), digest)
}

// kubernetesWatched: the same updates, with a watcher of each kind, who has a stream of its own.
func (b *bench) kubernetesWatched() {
	s, c := b.open(), newCluster(objectCount, b.round)
	s.create(c)
	updates := c.updates(objectPuts)
	streams := s.streams(len(kinds))
	for i, kind := range kinds {
		prefix := "/registry/" + kind.resource
		_, err := streams[i].Watch(0, []byte(prefix+"/"), []byte(prefix+"0"), 0)
		check(err)
	}
	r := drain(streams, objectPuts)
	start := time.Now()
	for _, u := range updates {
		s.put(c.pair(u))
	}
	<-r.done
	b.report("watch, each kind, Kubernetes", "events/s", objectPuts, time.Since(start),
		atomic.LoadUint64(&r.digest))
	closeAll(streams)
	s.discard()
}

func (s *store) create(c *cluster) {
	created := c.creations()
	for start := 0; start < len(created); start += putsPerTxn {
		txn := s.Write(traceutil.TODO())
		for i := start; i < start+putsPerTxn && i < len(created); i++ {
			key, value := c.pair(created[i])
			txn.Put(key, value, lease.NoLease)
		}
		txn.End()
	}
	s.backend.ForceCommit()
}
