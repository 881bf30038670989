// The data: what is put, which keys are picked, and a digest that tells whether two programs read
// the same bytes. Everything here has its twin in benches/src/data.rs and must stay equal to it.

package main

import (
	"encoding/binary"
	"fmt"
)

// How much of everything. The twin is in benches/src/data.rs; the report refuses to compare two
// programs that counted differently.
const (
	keyCount        = 100_000
	putCount        = 200_000
	putsPerTxn      = 100
	getCount        = 200_000
	rangeCount      = 500
	keysPerRange    = 1_000
	pairCount       = 5_000
	burstCount      = 9_000
	watchPutCount   = 100_000
	watchStreams    = 64
	prefixWatchers  = 1_000
	prefixPutCount  = 2_000
	prefixKeyCount  = 1_000
	compactPutCount = 200_000
	compactKeyCount = 10_000
	catchUpCount    = 20_000
	catchUpKeyCount = 1_000
	catchUpWatchers = 1_000
	farCount        = 200_000
	manyWatchers    = 100_000
	matchNested     = 10_000
	grownGets       = 100_000
	grownKeys       = 1_000
	grownWatchPuts  = 50_000
	objectCount     = 20_000
	objectPuts      = 50_000
	objectGets      = 50_000
	objectLists     = 1_000
	latencyPuts     = 200_000
	serverKeys      = 1_000
	serverPuts      = 1_000
	serverGets      = 5_000
	clientCount     = 64
	clientKeys      = 100
	clientPuts      = 300
	clientGets      = 1_000
	matchQueries    = 200_000
	valueCount      = 256
	valueBytes      = 64
)

// matchCounts is how many ranges are watched.
var matchCounts = []int{100_000, 1_000_000}

// grown is how many keys, revisions and watchers there are as they become many.
var grown = []int{10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000}

// Each workload draws from a sequence of its own, so that adding one leaves the others alone.
const (
	seedValues = iota
	seedPut
	seedPutTxn
	seedFill
	seedGet
	seedRange
	seedPairs
	seedWatch
	seedCompaction
	seedMatch
	seedZipf
	seedKubernetes
	seedGrowth
	seedLatency
	seedServer
	seedClients
)

// random is splitmix64: a counter and three mixing steps, the same in every language.
type random struct{ state uint64 }

func newRandom(seed, round uint64) *random {
	return &random{seed<<32 | round}
}

func (r *random) next() uint64 {
	r.state += 0x9E3779B97F4A7C15
	z := r.state
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// below is biased by less than one in 2^44 for the counts used here.
func (r *random) below(n int) int { return int(r.next() % uint64(n)) }

// picks draws count numbers below n, before any clock runs.
func (r *random) picks(count, n int) []int {
	picked := make([]int, count)
	for i := range picked {
		picked[i] = r.below(n)
	}
	return picked
}

// shuffled is the numbers below count, each once, in any order.
func (r *random) shuffled(count int) []int {
	numbers := each(count)
	for last := count - 1; last > 0; last-- {
		other := r.below(last + 1)
		numbers[last], numbers[other] = numbers[other], numbers[last]
	}
	return numbers
}

// picksForTxns does the same for transactions, which may change a key only once: a number that the
// transaction has already is drawn again. etcd's server insists on that, its mvcc package does not.
func (r *random) picksForTxns(count, n int) []int {
	picked := make([]int, 0, count)
	for len(picked) < count {
		pick := r.below(n)
		begun := len(picked) % putsPerTxn
		if !contains(picked[len(picked)-begun:], pick) {
			picked = append(picked, pick)
		}
	}
	return picked
}

func contains(numbers []int, wanted int) bool {
	for _, number := range numbers {
		if number == wanted {
			return true
		}
	}
	return false
}

// numberedKeys makes keys of 16 bytes: a letter, then the number with leading zeros.
func numberedKeys(count int) [][]byte {
	keys := make([][]byte, count)
	for i := range keys {
		keys[i] = []byte(fmt.Sprintf("k%015d", i))
	}
	return keys
}

// randomValues makes the pool of values that the puts take in turn.
func randomValues() [][]byte {
	from := newRandom(seedValues, 0)
	values := make([][]byte, valueCount)
	for i := range values {
		values[i] = make([]byte, valueBytes)
		for at := 0; at < valueBytes; at += 8 {
			binary.LittleEndian.PutUint64(values[i][at:], from.next())
		}
	}
	return values
}

// wordSum adds the whole 8-byte words of some bytes: it reads each byte and costs a few
// nanoseconds. Sums do not depend on the order in which concurrent readers come.
func wordSum(bytes []byte) uint64 {
	var sum uint64
	for ; len(bytes) >= 8; bytes = bytes[8:] {
		sum += binary.LittleEndian.Uint64(bytes)
	}
	return sum
}

// kvSum is the digest of a key and a value that were read.
func kvSum(key, value []byte) uint64 { return wordSum(key) + wordSum(value) }

// eventSum is the digest of an event: with its revision, times an odd number so that revisions and
// bytes do not cancel out.
func eventSum(key, value []byte, modRevision int64) uint64 {
	return kvSum(key, value) + uint64(modRevision)*0x9E3779B97F4A7C15
}
