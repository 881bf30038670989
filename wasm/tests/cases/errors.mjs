import { equal, fails, ok } from '../check.mjs';

export const tests = {
  'an empty key is refused wherever a key is needed'({ Store, utf8, ...revwatch }) {
    const store = Store.memory();
    const none = new Uint8Array(0);
    fails(revwatch, 'EmptyKey', () => store.put(none, utf8('v')));
    fails(revwatch, 'EmptyKey', () => store.get(none));
    fails(revwatch, 'EmptyKey', () => store.range(none));
    fails(revwatch, 'EmptyKey', () => store.deleteRange(none));
    fails(revwatch, 'EmptyKey', () => store.txn({ success: [{ type: 'put', key: none, value: none }] }));
    equal(store.revision, 1n);
    store.free();
  },

  'an error says what it is by code, name and message'({ Store, utf8, ...revwatch }) {
    const store = Store.memory();
    const error = fails(revwatch, 'FutureRevision', () => store.range(utf8('k'), { revision: 9n }));
    ok(error instanceof Error && error.message.includes('9'), error.message);
    equal([error.code, String(error).startsWith('FutureRevision: ')], [200, true]);
    store.free();
  },

  'a wrong type is refused before anything has happened'({ Store, utf8, ...revwatch }) {
    const store = Store.memory();
    const k = utf8('k');
    const wrong = [
      () => store.put('k', k),
      () => store.put(k, 'v'),
      () => store.put(k),
      () => store.put(k, [1, 2]),
      () => store.put(k, new Uint16Array(2)),
      () => store.put(k, k.buffer),
      () => store.put(k, k, null),
      () => store.put(k, k, { lease: 1 }),
      () => store.put(k, k, { lease: 2n ** 63n }),
      () => store.put(k, k, { prevKv: 1 }),
      () => store.get('k'),
      () => store.get(k, { revision: 1 }),
      () => store.range(k, { limit: 1n }),
      () => store.range(k, { limit: 1.5 }),
      () => store.range(k, { sortOrder: 'up' }),
      () => store.rangeStream('k'),
      () => store.rangeStream(k, { revision: 1 }),
      () => store.rangeStream(k).nextKvs({ maxKeys: 1n }),
      () => store.range(k, { prefix: 'yes' }),
      () => store.deleteRange(k, 'prefix'),
      () => store.compact(1),
      () => store.compact(),
      () => store.txn(),
      () => store.txn({ success: {} }),
      () => store.txn({ success: [null] }),
      () => store.txn({ success: [{ key: k, value: k }] }),
      () => store.txn({ success: [{ type: 'get', key: k }] }),
      () => store.txn({ compare: [{ key: k, target: 'version', op: '=', operand: 'x' }] }),
      () => store.txn({ compare: [{ key: k, target: 'value', op: '=', operand: 1n }] }),
      () => store.txn({ compare: [{ key: k, target: 'value', operand: k }] }),
      () => store.txn({ compare: [{ key: k, target: 'age', op: '=', operand: 1n }] }),
      () => store.watch('k'),
      () => store.watch(k, { startRevision: 1 }),
      () => store.watch(k, { resume: 5n }),
      () => store.follow('k'),
      () => store.leaseGrant(1000n),
      () => store.leaseGrant('1000'),
      () => store.leaseRevoke(1),
      () => store.step(1),
      () => Store.memory(null),
      () => Store.memory({ clock: 'system' }),
      () => Store.memory({ limits: { txnOps: '8' } }),
      () => Store.memory({ retainMs: 1n }),
      () => Store.fromImage('image'),
    ];
    for (const work of wrong) fails(revwatch, 'InvalidArgument', work, String(work));
    const { revision, keys, watchers, watchStreams } = store.status();
    equal([revision, keys, watchers, watchStreams], [1n, 0, 0, 0]);
    store.free();
  },

  'options that exclude each other are refused'({ Store, utf8, ...revwatch }) {
    const store = Store.memory();
    const k = utf8('k');
    fails(revwatch, 'InvalidOption', () => store.range(k, { prefix: true, fromKey: true }));
    fails(revwatch, 'InvalidOption', () => store.range(k, { prefix: true, rangeEnd: k }));
    const resume = store.resumeToken();
    fails(revwatch, 'InvalidOption', () => store.watch(k, { resume, startRevision: 1n }));
    store.free();
  },

  'a bound that is none is refused'({ Store, ...revwatch }) {
    for (const options of [{ retainRevisions: -1 }, { retainMs: -1 }, { limits: { quotaBytes: -1 } }]) {
      fails(revwatch, 'InvalidOption', () => Store.memory(options), JSON.stringify(options));
    }
  },

  'transactions nested without end are refused'({ Store, ...revwatch }) {
    const store = Store.memory();
    const cycle = { type: 'txn', success: [] };
    cycle.success.push(cycle);
    fails(revwatch, 'InvalidArgument', () => store.txn(cycle));
    equal(store.txn({}), { revision: 1n, succeeded: true, responses: [] });
    store.free();
  },

  'limits are the store’s own'({ Store, utf8, ...revwatch }) {
    const store = Store.memory({ limits: { requestBytes: 8 } });
    store.put(utf8('1234'), utf8('5678'));
    fails(revwatch, 'RequestTooLarge', () => store.put(utf8('1234'), utf8('56789')));
    store.free();
  },
};
