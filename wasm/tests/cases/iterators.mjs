import { equal, observe, ok, rejects, turn } from '../check.mjs';

const eventsOf = (responses) => responses.flatMap((each) => (each.type === 'events' ? each.events : []));

export const tests = {
  async 'a watch yields created, then each change as it comes'({ Store, utf8 }) {
    const store = Store.memory();
    const watch = store.watch(utf8('k'), { prevKv: true });
    equal((await watch.next()).value, { type: 'created', watchId: watch.watchId, revision: 1n });
    const waiting = observe(watch.next());
    await turn();
    equal(waiting.settled, false);
    store.put(utf8('other'), utf8(''));
    await turn();
    equal(waiting.settled, false, 'a change of another key wakes nobody for good');
    store.put(utf8('k'), utf8('1'));
    const { value } = await waiting.promise;
    equal([value.type, value.revision, value.events.length], ['events', 3n, 1]);
    equal([value.events[0].type, value.events[0].prevKv], ['PUT', null]);
    store.deleteRange(utf8('k'));
    const [event] = (await watch.next()).value.events;
    equal([event.type, utf8(event.prevKv.value), event.kv.version], ['DELETE', '1', 0n]);
    store.free();
  },

  async 'every watcher misses nothing, however slow it is'({ Store, utf8 }) {
    const store = Store.memory({ limits: { streamQueueResponses: 4 } });
    const collect = async (pause) => {
      const revisions = [];
      for await (const response of store.watch(utf8('k'), { prefix: true })) {
        revisions.push(...eventsOf([response]).map(({ kv }) => kv.modRevision));
        if (revisions.length >= 500) return revisions;
        if (pause && revisions.length % 7 === 0) await turn();
      }
      throw new Error('the watch ended');
    };
    const collected = [collect(false), collect(true)];
    for (let i = 0; i < 500; i += 1) {
      store.put(utf8(`k${i % 10}`), utf8(String(i)));
      if (i % 50 === 0) await turn();
    }
    const all = Array.from({ length: 500 }, (_, at) => BigInt(at + 2));
    for (const revisions of await Promise.all(collected)) equal(revisions, all);
    equal(store.status().watchers, 0, 'leaving a loop frees its watch');
    store.free();
  },

  async 'what an iterator has taken at once is given one by one, in order, and once'(revwatch) {
    const { Store, utf8 } = revwatch;
    const store = Store.memory({ limits: { streamQueueResponses: 1000 } });
    const stream = store.watchStream();
    const ids = Array.from({ length: 20 }, () => stream.watch(utf8('k'), { prefix: true }));
    for (const watchId of ids) equal((await stream.next()).value, { type: 'created', watchId, revision: 1n });
    for (let i = 0; i < 10; i += 1) store.put(utf8('k'), utf8(String(i)));
    const told = [(await stream.next()).value, stream.poll({ maxEvents: 1 }), (await stream.next()).value];
    const queued = () => store.watchers().reduce((sum, { queuedResponses }) => sum + queuedResponses, 0);
    equal(queued(), 0, 'all was taken at once');
    for (let i = 0; i < 10; i += 1) store.put(utf8('k'), utf8(String(10 + i)));
    while (told.length < 400) told.push(told.length % 2 ? (await stream.next()).value : stream.poll());
    equal(stream.poll(), null);
    for (const watchId of ids) {
      const mine = told.filter((each) => each.watchId === watchId);
      equal(eventsOf(mine).map(({ kv }) => Number(utf8(kv.value))), Array.from({ length: 20 }, (_, i) => i));
    }
    store.put(utf8('k'), utf8('more'));
    await stream.next();
    store.free();
    await rejects(revwatch, 'Closed', stream.next());
  },

  async 'calls of next at once are answered in their order'({ Store, utf8 }) {
    const store = Store.memory();
    const watch = store.watch(utf8('k'));
    const pending = [watch.next(), watch.next(), watch.next()];
    store.put(utf8('k'), utf8('1'));
    store.put(utf8('k'), utf8('2'));
    const responses = (await Promise.all(pending)).map(({ value }) => value);
    equal(responses[0].type, 'created');
    equal(eventsOf(responses).map(({ kv }) => utf8(kv.value)), ['1', '2']);

    const early = watch.next();
    await turn();
    store.put(utf8('k'), utf8('3'));
    store.put(utf8('k'), utf8('4'));
    const late = watch.next();
    const values = eventsOf([(await early).value, (await late).value]).map(({ kv }) => utf8(kv.value));
    equal(values, ['3', '4'], 'who waited longer is answered first');
    store.free();
  },

  async 'a cancelled watch says so and ends its loop'({ Store, utf8 }) {
    const store = Store.memory();
    const watch = store.watch(utf8('k'), { watchId: 7n });
    store.put(utf8('k'), utf8('1'));
    watch.cancel();
    const types = [];
    for await (const response of watch) types.push(response.type);
    equal(types, ['created', 'events', 'canceled']);
    equal(await watch.next(), { value: undefined, done: true });
    store.free();
  },

  async 'a watch from before a compaction is told so and ends'({ Store, utf8 }) {
    const store = Store.memory();
    for (const value of '1234') store.put(utf8('k'), utf8(value));
    store.compact(4n);
    const responses = [];
    for await (const response of store.watch(utf8('k'), { startRevision: 2n })) responses.push(response);
    equal(responses.map(({ type }) => type), ['created', 'compacted']);
    equal(responses[1].compactRevision, 4n);
    store.free();
  },

  async 'who waits is told when the watch, or the store, is freed'({ Store, utf8, ...revwatch }) {
    const store = Store.memory();
    const [freed, orphaned] = [store.watch(utf8('a')), store.watch(utf8('b'))];
    await freed.next();
    await orphaned.next();
    const [end, closed] = [freed.next(), observe(orphaned.next())];
    await turn();
    freed.free();
    equal(await end, { value: undefined, done: true });
    store.free();
    await rejects(revwatch, 'Closed', closed.promise);
  },

  async 'waiting is no busy loop, also with others waiting'({ Store, utf8 }) {
    let asked = 0;
    const store = Store.memory({ clock: () => ((asked += 1), 0) });
    const watches = ['a', 'b', 'c'].map((key) => store.watch(utf8(key)));
    for (const watch of watches) await watch.next();
    const waiting = watches.map((watch) => observe(watch.next()));
    for (let i = 0; i < 5; i += 1) await turn();
    const before = asked;
    for (let i = 0; i < 50; i += 1) await turn();
    equal(asked, before, 'the clock is asked whenever a watch is');
    equal(waiting.map(({ settled }) => settled), [false, false, false]);
    store.free();
    await Promise.allSettled(waiting.map(({ promise }) => promise));
  },

  async 'catching up leaves timers and input their turn'({ Store, utf8 }) {
    const store = Store.memory({ limits: { catchUpRevisions: 1 } });
    for (let i = 0; i < 3000; i += 1) store.put(utf8('k'), utf8(''));
    let turns = 0;
    let counting = true;
    const count = () => {
      turns += 1;
      if (counting) setTimeout(count, 0);
    };
    setTimeout(count, 0);
    let responses = 0;
    for await (const response of store.watch(utf8('k'), { startRevision: 1n })) {
      responses += 1;
      if (eventsOf([response]).at(-1)?.kv.modRevision === store.revision) break;
    }
    counting = false;
    ok(responses > 1000, `${responses} responses`);
    ok(turns > 1, 'no timer ran while the watch caught up');
    store.free();
  },

  async 'a stream carries many watchers under their ids'({ Store, utf8 }) {
    const store = Store.memory();
    const stream = store.watchStream();
    const [a, b] = [stream.watch(utf8('a')), stream.watch(utf8('b'), { watchId: 9n })];
    store.put(utf8('b'), utf8(''));
    store.put(utf8('a'), utf8(''));
    stream.cancel(b);
    stream.cancel(1234n);
    const seen = [];
    for (let i = 0; i < 5; i += 1) {
      const { type, watchId } = (await stream.next()).value;
      seen.push(`${type} ${watchId}`);
    }
    equal(seen, [`created ${a}`, 'created 9', 'events 9', `events ${a}`, 'canceled 9']);
    equal(stream.poll(), null);
    store.free();
  },

  async 'a follower yields the state, then every change after it'({ Store, utf8 }) {
    const store = Store.memory();
    store.put(utf8('a'), utf8('1'));
    store.put(utf8('b'), utf8('2'));
    const follow = store.follow(utf8(''), { prefix: true });
    const state = [];
    let response = (await follow.next()).value;
    while (response.type === 'state') {
      state.push(...response.kvs.map((kv) => `${utf8(kv.key)}=${utf8(kv.value)}`));
      response = (await follow.next()).value;
    }
    equal([state, response], [['a=1', 'b=2'], { type: 'synced', revision: 3n }]);
    const next = follow.next();
    store.put(utf8('a'), utf8('3'));
    const { value } = await next;
    equal([value.type, eventsOf([value]).map(({ kv }) => utf8(kv.value))], ['events', ['3']]);
    follow.free();

    const resume = store.resumeToken();
    store.put(utf8('b'), utf8('4'));
    const types = [];
    for await (const { type } of store.follow(utf8(''), { prefix: true, resume })) {
      types.push(type);
      if (type === 'events') break;
    }
    equal(types.includes('state'), false, 'what was seen already does not come again');
    store.free();
  },

  async 'a watch resumes where a token says'({ Store, utf8 }) {
    const store = Store.memory();
    store.put(utf8('k'), utf8('seen'));
    const resume = store.resumeToken();
    store.put(utf8('k'), utf8('missed'));
    const watch = store.watch(utf8('k'), { resume });
    const responses = [(await watch.next()).value, (await watch.next()).value];
    equal(eventsOf(responses).map(({ kv }) => utf8(kv.value)), ['missed']);
    store.free();
  },
};
