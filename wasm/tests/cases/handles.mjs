import { equal, fails, ok, rejects } from '../check.mjs';

export const tests = {
  async 'whatever is done with a freed store says Closed'({ Store, utf8, ...revwatch }) {
    const store = Store.memory();
    const k = utf8('k');
    const [watch, stream, follow] = [store.watch(k), store.watchStream(), store.follow(k)];
    const kvs = store.rangeStream(k);
    store.free();
    const uses = [
      () => store.put(k, k),
      () => store.get(k),
      () => store.range(k),
      () => store.rangeStream(k),
      () => store.hashKv(),
      () => store.deleteRange(k),
      () => store.txn({}),
      () => store.compact(1n),
      () => store.history(k),
      () => store.revision,
      () => store.status(),
      () => store.check(),
      () => store.step(),
      () => store.resumeToken(),
      () => store.watch(k),
      () => store.watchStream(),
      () => store.follow(k),
      () => store.leaseGrant(1000),
      () => store.leases(),
      () => store.close(),
      () => watch.poll(),
      () => watch.cancel(),
      () => stream.poll(),
      () => stream.watch(k),
      () => follow.poll(),
      () => kvs.nextKvs(),
      () => kvs.next(),
    ];
    for (const use of uses) fails(revwatch, 'Closed', use, String(use));
    await rejects(revwatch, 'Closed', watch.next());
  },

  'freeing twice, and children after their store, is harmless'({ Store, utf8 }) {
    const store = Store.memory();
    const [watch, follow] = [store.watch(utf8('k')), store.follow(utf8('k'))];
    const kvs = store.rangeStream(utf8('k'));
    watch.free();
    watch.free();
    store.free();
    store.free();
    follow.free();
    watch.free();
    kvs.free();
    kvs.free();
  },

  'a freed watch and a freed follower leave nothing behind'({ Store, utf8, ...revwatch }) {
    const store = Store.memory();
    const [watch, follow] = [store.watch(utf8('k')), store.follow(utf8('k'))];
    ok(store.status().watchers >= 1, 'the watch is counted');
    watch.free();
    follow.free();
    const { watchStreams, watchers } = store.status();
    equal([watchStreams, watchers], [0, 0]);
    fails(revwatch, 'Closed', () => watch.poll());
    fails(revwatch, 'Closed', () => follow.poll());
    store.free();
  },

  'a watch that is refused leaves nothing behind'({ Store, utf8, ...revwatch }) {
    const store = Store.memory();
    fails(revwatch, 'EmptyWatchRange', () => store.watch(utf8('b'), { rangeEnd: utf8('a') }));
    equal(store.status().watchStreams, 0);
    store.free();
  },

  'a store can be disposed of'({ Store, ...revwatch }) {
    const dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');
    const store = Store.memory();
    store[dispose]();
    fails(revwatch, 'Closed', () => store.revision);
  },

  async 'stores that come and go do not pile up in the module’s memory'({ Store }) {
    // Loading a second time answers with what was loaded the first time.
    const { default: load } = await import('../../pkg/revwatch_wasm.js');
    const { memory } = await load();
    const value = new Uint8Array(256 * 1024);
    const comeAndGo = () => {
      const store = Store.memory();
      for (let key = 1; key <= 16; key += 1) store.put(new Uint8Array([key]), value);
      store.watch(new Uint8Array([1]), { startRevision: 1n });
      store.free();
    };
    for (let i = 0; i < 3; i += 1) comeAndGo();
    const bytes = memory.buffer.byteLength;
    for (let i = 0; i < 20; i += 1) comeAndGo();
    equal(memory.buffer.byteLength, bytes);
  },
};
