// A real etcd with many clients at once, each with a connection of its own, of which each asks for one
// thing after the other. The twin of benches/src/clients.rs.

package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/etcd/clientv3"
)

// clients have keys that nobody else puts, so that what is there in the end, and each event, does not
// depend on who comes first.
func (b *bench) clients() {
	s := b.startServer()
	defer s.stop()
	keys, from := numberedKeys(clientCount*clientKeys), newRandom(seedClients, b.round)
	var connected [clientCount]*clientv3.Client
	for i := range connected {
		connected[i] = s.connect()
		defer connected[i].Close()
	}
	key := func(client, pick int) string { return string(keys[client*clientKeys+pick]) }
	put := func(client, i, pick int) uint64 {
		_, err := connected[client].Put(context.Background(), key(client, pick), string(b.values[i%valueCount]))
		check(err)
		return 0
	}
	var creations []int
	for range connected {
		creations = append(creations, each(clientKeys)...)
	}
	b.atOnce("", "", creations, put)

	puts := from.picks(clientCount*clientPuts, clientKeys)
	b.atOnce("durable put", "puts/s", puts, put).print(s.digest())

	gets := from.picks(clientCount*clientGets, clientKeys)
	b.atOnce("get", "gets/s", gets, func(client, _, pick int) uint64 {
		found, err := connected[client].Get(context.Background(), key(client, pick))
		check(err)
		return kvSum(found.Kvs[0].Key, found.Kvs[0].Value)
	}).print(0)

	var events [clientCount]clientv3.WatchChan
	for i, client := range connected {
		own := key(i, 0)
		channel, cancel := watchPrefix(client, own[:len(own)-2]) // there are a hundred of them
		defer cancel()
		events[i] = channel
	}
	puts = from.picks(clientCount*clientPuts, clientKeys)
	b.atOnce("durable put until its event", "puts/s", puts, func(client, i, pick int) uint64 {
		put(client, i, pick)
		response := <-events[client]
		must(len(response.Events) == 1, "%d events of one put", len(response.Events))
		return kvSum(response.Events[0].Kv.Key, response.Events[0].Kv.Value)
	}).print(s.digest())
}

// together is what all clients together took.
type together struct {
	b          *bench
	what, unit string
	seconds    time.Duration
	each       []time.Duration
	digest     uint64
}

// atOnce has each client do its part of the picks. Work is told the client, how many it has done before,
// and the pick; it answers the digest of what it has read.
func (b *bench) atOnce(what, unit string, picks []int, work func(client, i, pick int) uint64) *together {
	t := &together{b: b, what: what, unit: unit, each: make([]time.Duration, len(picks))}
	part, digests := len(picks)/clientCount, make([]uint64, clientCount)
	begin, done := make(chan struct{}), sync.WaitGroup{}
	done.Add(clientCount)
	for client := 0; client < clientCount; client++ {
		go func(client int) {
			defer done.Done()
			<-begin
			for i := 0; i < part; i++ {
				at, start := client*part+i, time.Now()
				digests[client] += work(client, i, picks[at])
				t.each[at] = time.Since(start)
			}
		}(client)
	}
	start := time.Now()
	close(begin)
	done.Wait()
	t.seconds = time.Since(start)
	for _, digest := range digests {
		t.digest += digest
	}
	return t
}

// print says how many there were in a second, and how long single ones took.
func (t *together) print(digest uint64) {
	workload := fmt.Sprintf("%s, %d clients", t.what, clientCount)
	digest += t.digest
	t.b.reportOf("etcd-server", workload, t.unit, len(t.each), t.seconds, digest)
	t.b.latencies("etcd-server", workload, t.each, digest)
}
