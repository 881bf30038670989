// Which watchers a key has: what etcd's watcher groups are made of, without a store around it.

package main

import (
	"fmt"
	"time"

	"go.etcd.io/etcd/pkg/adt"
)

// family is ranges that lie in some way: the range with a number among so many, and a key in it. A
// range without an end is a single key. As many as always says are measured even where growth is not
// followed as far.
type family struct {
	name   string
	counts []int
	always int
	bounds func(number, count int) (start, end string)
	key    func(number int) string
}

func podKey(number int) string { return fmt.Sprintf("/registry/pods/%010d", number) }

// userKey is a user's keys: names of 8 to 27 letters, no two alike.
func userKey(number int) string {
	return fmt.Sprintf("/users/%08d%s", number, "abcdefghijklmnopqrst"[:number%20])
}

var families = []family{
	{
		"keys", matchCounts, matchCounts[1],
		func(number, _ int) (string, string) { return podKey(10 * number), "" },
		func(number int) string { return podKey(10 * number) },
	}, {
		"prefixes", matchCounts, matchCounts[1],
		func(number, _ int) (string, string) { return podKey(number) + "/", podKey(number) + "0" },
		func(number int) string { return podKey(number) + "/a-pod" },
	}, {
		"prefixes of 20 lengths", matchCounts, matchCounts[0],
		func(number, _ int) (string, string) { return userKey(number) + "/", userKey(number) + "0" },
		func(number int) string { return userKey(number) + "/profile" },
	}, {
		"disjoint spans", matchCounts, matchCounts[1],
		func(number, _ int) (string, string) { return podKey(10 * number), podKey(10*number + 8) },
		func(number int) string { return podKey(10*number + number%10) },
	}, {
		"spans, 4.5 at each key", matchCounts, matchCounts[0],
		func(number, _ int) (string, string) { return podKey(10 * number), podKey(10*number + 45) },
		func(number int) string { return podKey(10*number + number%10) },
	}, {
		"spans with one end", []int{matchNested}, matchNested,
		func(number, count int) (string, string) { return podKey(10 * number), podKey(10 * count) },
		func(number int) string { return podKey(10 * (number % 10)) },
	},
}

// watcherSet and group are as in etcd's mvcc package, where they are private.
type watcherSet map[*int]struct{}

type group struct {
	keys   map[string]watcherSet
	ranges adt.IntervalTree
}

func (g *group) add(start, end string, watcher *int) {
	if end == "" {
		if set := g.keys[start]; set != nil {
			set[watcher] = struct{}{}
			return
		}
		g.keys[start] = watcherSet{watcher: {}}
		return
	}
	interval := adt.NewStringAffineInterval(start, end)
	if found := g.ranges.Find(interval); found != nil {
		found.Val.(watcherSet)[watcher] = struct{}{}
		return
	}
	g.ranges.Insert(interval, watcherSet{watcher: {}})
}

func (g *group) remove(start, end string, watcher *int) {
	if end == "" {
		set := g.keys[start]
		delete(set, watcher)
		if len(set) == 0 {
			delete(g.keys, start)
		}
		return
	}
	interval := adt.NewStringAffineInterval(start, end)
	set := g.ranges.Find(interval).Val.(watcherSet)
	delete(set, watcher)
	if len(set) == 0 {
		must(g.ranges.Delete(interval), "the range is there")
	}
}

func (g *group) visit(key string, visit func(watcher int)) {
	for watcher := range g.keys[key] {
		visit(*watcher)
	}
	for _, found := range g.ranges.Stab(adt.NewStringAffinePoint(key)) {
		for watcher := range found.Val.(watcherSet) {
			visit(*watcher)
		}
	}
}

// matching registers the watchers in any order, asks for those of some keys, and cancels them in
// another order.
func (b *bench) matching() {
	for _, f := range families {
		for _, count := range f.counts {
			if count <= f.always || count <= b.largest {
				b.measureFamily(f, count)
			}
		}
	}
}

func (b *bench) measureFamily(f family, count int) {
	from := newRandom(seedMatch, b.round)
	starts, ends, watchers := make([]string, count), make([]string, count), make([]int, count)
	for watcher, number := range from.shuffled(count) {
		starts[watcher], ends[watcher] = f.bounds(number, count)
		watchers[watcher] = watcher
	}
	keys := make([]string, matchQueries)
	for i := range keys {
		keys[i] = f.key(from.below(count))
	}
	canceled := from.shuffled(count)

	report := func(what, unit string, count int, start time.Time, digest uint64) {
		took := time.Since(start)
		b.report(fmt.Sprintf("match, %d %s: %s", len(watchers), f.name, what), unit, count, took, digest)
	}
	g := group{map[string]watcherSet{}, adt.NewIntervalTree()}
	start := time.Now()
	for watcher := range starts {
		g.add(starts[watcher], ends[watcher], &watchers[watcher])
	}
	report("register", "watchers/s", count, start, 0)
	var found, sum uint64
	start = time.Now()
	for _, key := range keys {
		g.visit(key, func(watcher int) {
			found++
			sum += uint64(watcher)
		})
	}
	report("find", "keys/s", matchQueries, start, found<<48^sum)
	start = time.Now()
	for _, watcher := range canceled {
		g.remove(starts[watcher], ends[watcher], &watchers[watcher])
	}
	report("cancel", "watchers/s", count, start, 0)
}
