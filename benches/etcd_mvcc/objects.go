// Data sets that are not uniform: keys picked by Zipf's law, and objects as a Kubernetes cluster keeps
// them. All of it is integers and has its twin in benches/src/objects.rs.

package main

import (
	"encoding/binary"
	"fmt"
	"sort"
)

// zipfOne: how often rank r is picked is in proportion to 1/r, Zipf's law with the exponent 1.
const zipfOne = 1 << 40

// picksByZipf draws numbers below n by Zipf's law; which of them are frequent is drawn as well.
func (r *random) picksByZipf(count, n int) []int {
	byRank := r.shuffled(n)
	ends := make([]uint64, n)
	var total uint64
	for i := range ends {
		total += zipfOne / uint64(i+1)
		ends[i] = total
	}
	picked := make([]int, count)
	for i := range picked {
		at := r.next() % total
		picked[i] = byRank[sort.Search(n, func(rank int) bool { return ends[rank] > at })]
	}
	return picked
}

// kind is a kind of object: its share of all objects and of all updates, in thousandths, and the least
// and the most bytes that one has. A size is the lesser of two uniform draws.
type kind struct {
	resource         string
	objects, updates int
	least, most      int
}

var kinds = []kind{
	{"pods", 300, 300, 2_048, 8_192},
	{"events", 300, 150, 512, 1_024},
	{"secrets", 100, 5, 1_024, 8_192},
	{"configmaps", 80, 10, 256, 16_384},
	{"replicasets", 80, 40, 1_536, 3_072},
	{"serviceaccounts", 40, 0, 192, 384},
	{"endpointslices", 40, 60, 512, 4_096},
	{"deployments", 30, 30, 1_536, 4_096},
	{"leases", 20, 350, 320, 512},
	{"minions", 10, 55, 4_096, 16_384},
}

const (
	thousand   = 1_000
	namespaces = 200
	poolBytes  = 1 << 16
)

// cluster is the objects of one, kind after kind. Each value is a part of a pool of random bytes.
type cluster struct {
	keys   [][]byte
	firsts []int
	pool   []byte
	random *random
}

// update says which object is put, and a place and a length in the pool.
type update struct{ object, at, bytes int }

func newCluster(objects int, round uint64) *cluster {
	c := &cluster{firsts: []int{0}, pool: make([]byte, poolBytes), random: newRandom(seedKubernetes, round)}
	for _, kind := range kinds {
		for number := 0; number < objects/thousand*kind.objects; number++ {
			namespace, hash := c.random.below(namespaces), c.random.next()
			c.keys = append(c.keys, []byte(fmt.Sprintf("/registry/%s/team-%03d/app-%05d-%010x-%05x",
				kind.resource, namespace, number, hash>>24, hash&0xFFFFF)))
		}
		c.firsts = append(c.firsts, len(c.keys))
	}
	for at := 0; at < poolBytes; at += 8 {
		binary.LittleEndian.PutUint64(c.pool[at:], c.random.next())
	}
	return c
}

// creations is every object once.
func (c *cluster) creations() []update {
	var created []update
	for i := range kinds {
		for object := c.firsts[i]; object < c.firsts[i+1]; object++ {
			created = append(created, c.updateOf(i, object))
		}
	}
	return created
}

// updates picks which kind by its share, and any object of it.
func (c *cluster) updates(count int) []update {
	drawn := make([]update, count)
	for i := range drawn {
		share, kind := c.random.below(thousand), 0
		for share >= kinds[kind].updates {
			share -= kinds[kind].updates
			kind++
		}
		first, end := c.firsts[kind], c.firsts[kind+1]
		drawn[i] = c.updateOf(kind, first+c.random.below(end-first))
	}
	return drawn
}

func (c *cluster) updateOf(i, object int) update {
	least, most := kinds[i].least, kinds[i].most
	one, other := c.random.below(most-least+1), c.random.below(most-least+1)
	if other < one {
		one = other
	}
	return update{object, c.random.below(poolBytes - least - one), least + one}
}

func (c *cluster) pair(u update) (key, value []byte) {
	return c.keys[u.object], c.pool[u.at : u.at+u.bytes]
}

// picks draws objects of any kind.
func (c *cluster) picks(count int) []int {
	picked := make([]int, count)
	for i := range picked {
		picked[i] = c.random.below(len(c.keys))
	}
	return picked
}

// lists draws prefixes of the pods of a namespace.
func (c *cluster) lists(count int) [][]byte {
	prefixes := make([][]byte, count)
	for i := range prefixes {
		prefixes[i] = []byte(fmt.Sprintf("/registry/pods/team-%03d/", c.random.below(namespaces)))
	}
	return prefixes
}
