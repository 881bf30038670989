import { equal, fails, observe, ok, turn } from '../check.mjs';

const PLENTY = { maxEvents: 1000 };

/** All that waits. */
function drained(source, options = PLENTY) {
  const responses = [];
  for (let each = source.poll(options); each !== null; each = source.poll(options)) responses.push(each);
  return responses;
}

export const tests = {
  'a watcher of several ranges sees each change once'({ Store, utf8, ...revwatch }) {
    const store = Store.memory();
    const ranges = [
      { key: utf8('x'), prefix: true },
      { key: utf8('b'), rangeEnd: utf8('d') },
      { key: utf8('k') },
      { key: utf8('zz'), fromKey: true },
    ];
    const watch = store.watch(utf8('k'), { ranges });
    for (const key of ['a', 'b', 'c', 'd', 'k', 'ka', 'x', 'xyz', 'z', 'zzz']) store.put(utf8(key), utf8(''));
    const events = drained(watch).flatMap(({ events: given = [] }) => given);
    equal(events.map(({ kv }) => utf8(kv.key)), ['b', 'c', 'k', 'x', 'xyz', 'zzz']);
    fails(revwatch, 'InvalidArgument', () => store.watch(utf8('k'), { ranges: 7 }));
    fails(revwatch, 'InvalidArgument', () => store.watch(utf8('k'), { ranges: [null] }));
    fails(revwatch, 'InvalidArgument', () => store.watch(utf8('k'), { ranges: [{ prefix: true }] }));
    fails(revwatch, 'InvalidOption', () =>
      store.watch(utf8('k'), { ranges: [{ key: utf8('a'), prefix: true, fromKey: true }] }),
    );
    fails(revwatch, 'EmptyWatchRange', () =>
      store.watch(utf8('k'), { ranges: [{ key: utf8('b'), rangeEnd: utf8('a') }] }),
    );
    equal([store.status().watchers, store.status().watchStreams], [1, 1]);
    store.free();
  },

  'keysOnly leaves values out, also the previous ones'({ Store, utf8 }) {
    const store = Store.memory();
    store.put(utf8('k'), utf8('1'));
    const watch = store.watch(utf8('k'), { keysOnly: true, prevKv: true });
    store.put(utf8('k'), utf8('2'));
    const [, { events }] = drained(watch);
    equal([events[0].kv.value.length, events[0].kv.version, events[0].prevKv.value.length], [0, 2n, 0]);
    store.free();
  },

  'a revision comes in marked fragments to who asked'({ Store, utf8 }) {
    const store = Store.memory({ limits: { fragmentBytes: 250 } });
    const parts = store.watch(utf8(''), { prefix: true, fragment: true });
    const whole = store.watch(utf8(''), { prefix: true });
    const success = [...'abcde'].map((key) => ({ type: 'put', key: utf8(key), value: new Uint8Array(100) }));
    store.txn({ success });
    const sizes = (responses) => responses.slice(1).map((each) => [each.events.length, each.fragment]);
    equal(sizes(drained(parts)), [[2, true], [2, true], [1, false]]);
    equal(sizes(drained(whole)), [[5, false]]);
    store.free();
  },

  async 'progress is told when asked for, and does not end a loop'({ Store, utf8 }) {
    const store = Store.memory();
    const watch = store.watch(utf8('k'));
    await watch.next();
    const waiting = observe(watch.next());
    await turn();
    equal(waiting.settled, false);
    store.put(utf8('other'), utf8(''));
    ok(watch.requestProgress(), 'the watcher is not behind');
    const { value, done } = await waiting.promise;
    equal([done, value], [false, { type: 'progress', watchId: -1n, revision: 2n }]);
    store.put(utf8('k'), utf8('1'));
    equal((await watch.next()).value.type, 'events');
    const stream = store.watchStream();
    stream.watch(utf8('k'), { startRevision: 9n });
    equal(stream.requestProgress(), false);
    store.free();
  },

  async 'progress is told by interval, and wakes who waits for it'({ Store, utf8 }) {
    const store = Store.memory({ clock: 'manual', limits: { progressNotifyMs: 1000 } });
    store.step(0);
    const watch = store.watch(utf8('k'), { progressNotify: true });
    await watch.next();
    store.step(1);
    const waiting = observe(watch.next());
    store.step(1000);
    await turn();
    equal(waiting.settled, false);
    store.step(1001);
    equal((await waiting.promise).value, { type: 'progress', watchId: 0n, revision: 1n });
    store.free();

    const timed = Store.memory({ limits: { progressNotifyMs: 1 } });
    const notified = timed.watch(utf8('k'), { progressNotify: true });
    await notified.next();
    equal((await notified.next()).value.type, 'progress');
    timed.free();
  },

  'who conflates sees only the newest of each key when behind'({ Store, utf8 }) {
    const store = Store.memory();
    for (let i = 0; i < 20; i += 1) store.put(utf8('ab'[i % 2]), utf8(String(i)));
    const watch = store.watch(utf8(''), { prefix: true, startRevision: 2n, conflate: true });
    const [, { events }, ...rest] = drained(watch);
    equal(events.map(({ kv }) => kv.modRevision), [20n, 21n]);
    equal(rest, []);
    store.free();
  },

  'the report tells where each watcher stands'({ Store, utf8 }) {
    const store = Store.memory({ limits: { streamQueueBytes: 100, watchQueueBytes: 1 << 20 } });
    equal(store.watchers(), []);
    store.put(utf8('a'), utf8('1'));
    const stream = store.watchStream();
    stream.watch(utf8('a'), { watchId: 9n, ranges: [{ key: utf8('b'), prefix: true }] });
    const past = store.watch(utf8('a'), { startRevision: 1n });
    store.put(utf8('a'), utf8('22'));
    const find = ({ streamId }) => store.watchers().find((each) => each.streamId === streamId);
    equal(find(stream), {
      streamId: stream.streamId,
      watchId: 9n,
      state: 'synced',
      ranges: [
        { key: utf8('a'), rangeEnd: utf8('') },
        { key: utf8('b'), rangeEnd: utf8('c') },
      ],
      nextRevision: 4n,
      queuedResponses: 1,
      queuedBytes: 3,
      lag: 0n,
    });
    equal([find(past).state, find(past).nextRevision, find(past).lag], ['unsynced', 1n, 3n]);
    for (let i = 0; i < 50; i += 1) store.put(utf8('a'), new Uint8Array(50));
    const { state, queuedBytes, lag } = find(stream);
    ok(state === 'unsynced' && queuedBytes <= 200 && lag > 40n, `a full queue: ${state} ${queuedBytes} ${lag}`);
    equal(drained(stream).flatMap(({ events = [] }) => events).length, 51);
    const follow = store.follow(utf8('a'));
    drained(follow);
    equal(store.watchers().filter(({ streamId }) => streamId === null).length, 1);
    store.free();
  },
};
