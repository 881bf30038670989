import { equal, fails, ok } from '../check.mjs';

export const tests = {
  'beyond its quota a store refuses puts and lets deletes through'({ Store, utf8, ...revwatch }) {
    const store = Store.memory({ limits: { quotaBytes: 256 * 1024 } });
    const value = new Uint8Array(1000);
    let taken = 0;
    const fill = () => {
      for (; taken < 10_000; taken += 1) store.put(utf8(`k${taken}`), value);
    };
    fails(revwatch, 'NoSpace', fill);
    equal([store.revision, store.status().keys], [BigInt(taken) + 1n, taken]);
    fails(revwatch, 'NoSpace', () => store.put(utf8('k0'), utf8('')));
    equal(store.revision, BigInt(taken) + 1n);
    equal(store.deleteRange(utf8('k'), { prefix: true }).deleted, taken);
    store.compact(store.revision);
    equal(store.status().keys, 0);
    store.free();
  },

  'a store keeps as much history as it was told to'({ Store, utf8, ...revwatch }) {
    const store = Store.memory({ retainRevisions: 100, clock: 'manual' });
    for (let i = 0; i < 1000; i += 1) store.put(utf8('k'), utf8(String(i)));
    store.step(0);
    const { revision, compactRevision } = store.status();
    equal([revision, compactRevision], [1001n, 901n]);
    fails(revwatch, 'Compacted', () => store.get(utf8('k'), { revision: 900n }));
    store.free();

    const young = Store.memory({ retainMs: 1000, clock: 'manual' });
    for (let now = 0; now < 5000; now += 100) {
      young.step(now);
      young.put(utf8('k'), utf8(String(now)));
    }
    const [oldest] = young.history(utf8('k')).events;
    const at = Number(utf8(oldest.kv.value));
    ok(at >= 3600 && at <= 4000, `about a second, not ${4900 - at} ms`);
    young.free();
  },

  'a walk over a range sees one revision whatever is written meanwhile'({ Store, utf8 }) {
    const store = Store.memory();
    const key = (i) => utf8(`/${String(i).padStart(5, '0')}`);
    for (let i = 0; i < 2500; i += 1) store.put(key(i), utf8(String(i)));
    const expected = store.range(utf8('/'), { prefix: true }).kvs;
    const stream = store.rangeStream(utf8('/'), { prefix: true });
    equal(stream.revision, 2501n);
    const seen = [];
    for (const kv of stream) {
      seen.push(kv);
      store.put(key(2500 - seen.length), utf8('changed'));
      store.deleteRange(key(seen.length));
    }
    equal(seen, expected);
    equal([...stream], []);
    store.free();
  },

  'the parts of a walk are as large as was asked for'({ Store, utf8, ...revwatch }) {
    const store = Store.memory();
    for (const key of 'abcdef') store.put(utf8(key), new Uint8Array(99));
    const stream = store.rangeStream(utf8(''), { prefix: true });
    equal(stream.nextKvs({ maxKeys: 2 }).length, 2);
    equal(stream.nextKvs({ maxBytes: 150 }).length, 2);
    equal(stream.nextKvs({ maxBytes: 1 }).length, 1);
    equal(stream.nextKvs().length, 1);
    equal(stream.nextKvs(), []);
    stream.free();
    fails(revwatch, 'Closed', () => stream.nextKvs());

    const mixed = store.rangeStream(utf8(''), { prefix: true });
    const keys = [mixed.next().value, ...mixed.nextKvs({ maxKeys: 2 }), mixed.next().value, ...mixed.nextKvs()];
    equal(keys.map((kv) => utf8(kv.key)).join(''), 'abcdef');
    store.free();
  },

  'a walk that compaction overtook says so'({ Store, utf8, ...revwatch }) {
    const store = Store.memory();
    for (const key of 'abcdef') store.put(utf8(key), utf8(key));
    const stream = store.rangeStream(utf8(''), { prefix: true, revision: 5n });
    equal(stream.nextKvs({ maxKeys: 1 }).length, 1);
    store.compact(5n);
    equal(stream.nextKvs({ maxKeys: 1 }).length, 1);
    store.compact(6n);
    fails(revwatch, 'Compacted', () => [...stream]);
    fails(revwatch, 'Compacted', () => store.rangeStream(utf8('a'), { revision: 5n }));
    fails(revwatch, 'FutureRevision', () => store.rangeStream(utf8('a'), { revision: 8n }));
    fails(revwatch, 'EmptyKey', () => store.rangeStream(utf8('')));
    store.free();
  },
};
