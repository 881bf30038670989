// etcd's own storage, its mvcc package, with the workloads that the Rust program in ../src runs on
// revwatch: the same data from the same seeds, one line of JSON for each measurement.
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build -o etcd_mvcc .
//	./etcd_mvcc -dir DIR -round 0 -workloads put,get
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"go.etcd.io/etcd/lease"
	"go.etcd.io/etcd/mvcc"
	"go.etcd.io/etcd/mvcc/backend"
	"go.etcd.io/etcd/pkg/traceutil"
	"go.etcd.io/etcd/version"
	"go.uber.org/zap"
)

// bench is one run of the program.
type bench struct {
	dir     string
	round   uint64
	largest int
	values  [][]byte
}

// measurement is one line of the output. Digest stands for all bytes that were read.
type measurement struct {
	Subject  string  `json:"subject"`
	Workload string  `json:"workload"`
	Unit     string  `json:"unit"`
	Value    float64 `json:"value"`
	Count    int     `json:"count"`
	Seconds  float64 `json:"seconds"`
	Digest   string  `json:"digest"`
	Round    uint64  `json:"round"`
}

func (b *bench) report(workload, unit string, count int, took time.Duration, digest uint64) {
	b.reportOf("etcd", workload, unit, count, took, digest)
}

func (b *bench) reportOf(subject, workload, unit string, count int, took time.Duration, digest uint64) {
	b.print(measurement{
		Subject: subject, Workload: workload, Unit: unit,
		Value: float64(count) / took.Seconds(), Count: count, Seconds: took.Seconds(),
		Digest: fmt.Sprintf("%016x", digest),
	})
}

func (b *bench) print(m measurement) {
	m.Round = b.round
	line, err := json.Marshal(m)
	check(err)
	fmt.Println(string(line))
}

// quantiles that are printed, in millionths.
var quantiles = []struct {
	name       string
	perMillion int
}{
	{"p50", 500_000}, {"p90", 900_000}, {"p99", 990_000},
	{"p99.9", 999_000}, {"p99.99", 999_900}, {"max", 1_000_000},
}

// latencies prints quantiles of what single operations took, in microseconds.
func (b *bench) latencies(subject, workload string, took []time.Duration, digest uint64) {
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	var all time.Duration
	for _, one := range took {
		all += one
	}
	for _, quantile := range quantiles {
		one := took[(len(took)-1)*quantile.perMillion/1_000_000]
		b.print(measurement{
			Subject: subject, Workload: fmt.Sprintf("latency of a %s, %s", workload, quantile.name),
			Unit: "us", Value: one.Seconds() * 1e6, Count: len(took), Seconds: all.Seconds(),
			Digest: fmt.Sprintf("%016x", digest),
		})
	}
}

// store is etcd's key-value store over its backend, a bbolt file that is synced every 100 ms or
// 10,000 writes, which is how the etcd server opens it.
type store struct {
	mvcc.ConsistentWatchableKV
	backend backend.Backend
	path    string
}

func (b *bench) open() *store { return b.openWith(mvcc.StoreConfig{}) }

func (b *bench) openWith(storeConfig mvcc.StoreConfig) *store {
	config := backend.DefaultBackendConfig()
	config.Path = filepath.Join(b.dir, fmt.Sprintf("etcd-%d.db", os.Getpid()))
	opened := backend.New(config)
	kv := mvcc.New(zap.NewNop(), opened, &lease.FakeLessor{}, nil, nil, storeConfig)
	return &store{kv, opened, config.Path}
}

func (s *store) discard() {
	check(s.Close())
	check(s.backend.Close())
	check(os.Remove(s.path))
}

func (s *store) put(key, value []byte) { s.Put(key, value, lease.NoLease) }

// putMany puts keys[picked[i]] for each i, perTxn in a transaction.
func (s *store) putMany(keys, values [][]byte, picked []int, perTxn int) {
	for start := 0; start < len(picked); start += perTxn {
		txn := s.Write(traceutil.TODO())
		for i := start; i < start+perTxn && i < len(picked); i++ {
			txn.Put(keys[picked[i]], values[i%len(values)], lease.NoLease)
		}
		txn.End()
	}
}

// each is the picks that take every key once, in order.
func each(count int) []int {
	picked := make([]int, count)
	for i := range picked {
		picked[i] = i
	}
	return picked
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func must(holds bool, complaint string, args ...interface{}) {
	if !holds {
		panic(fmt.Sprintf(complaint, args...))
	}
}

func main() {
	dir := flag.String("dir", os.TempDir(), "folder for the database files, deleted afterwards")
	round := flag.Uint64("round", 0, "part of the seed: another round, other picks")
	largest := flag.Int("largest", 100_000, "how far growth is measured")
	workloads := flag.String("workloads", "put,put-txn,get,put-get,compact,watch,watch-prefix,catch-up,watch-many,catch-up-far,match,datasets,growth,latency",
		"which to run, in this order")
	showVersion := flag.Bool("version", false, "print etcd's version and leave")
	flag.Parse()
	if *showVersion {
		fmt.Println(version.Version)
		return
	}
	b := &bench{dir: *dir, round: *round, largest: *largest, values: randomValues()}
	run := map[string]func(){
		"put": b.puts, "put-txn": b.putsInTxns, "get": b.gets, "put-get": b.pairs,
		"compact": b.compaction,
		"watch":   b.watchKeys, "watch-prefix": b.watchPrefix, "catch-up": b.catchUp,
		"watch-many": b.watchMany, "catch-up-far": b.catchUpFar,
		"match":    b.matching,
		"datasets": b.datasets,
		"growth":   b.growth,
		"latency":  b.putLatencies,
		"durable":  b.durable,
		"clients":  b.clients,
		"open":     b.opens,
		"memory":   b.memory,
	}
	for _, name := range strings.Split(*workloads, ",") {
		workload, known := run[name]
		must(known, "no workload is called %q", name)
		workload()
	}
}
