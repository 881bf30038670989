import { equal, fails, ok } from '../check.mjs';

export const tests = {
  'the example of the documentation gives what it says'({ Store, utf8 }) {
    const store = Store.memory();
    store.put(utf8('hello'), utf8('world'));
    equal(store.get(utf8('hello'))?.modRevision, 2n);
    store.free();
  },

  'bytes come back as they went in, whatever they are'({ Store }) {
    const store = Store.memory();
    const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    store.put(every, every);
    const kv = store.get(every);
    equal([kv.key, kv.value], [every, every]);
    const partOfALarger = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
    store.put(partOfALarger, new Uint8Array(0));
    equal(store.get(new Uint8Array([2, 3])).value, new Uint8Array(0));
    store.free();
  },

  'a value of a mebibyte survives the growth of every buffer'({ Store, utf8 }) {
    const store = Store.memory();
    const value = Uint8Array.from({ length: 1024 * 1024 }, (_, at) => at * 7);
    store.put(utf8('large'), value);
    equal(store.get(utf8('large')).value, value);
    store.free();
  },

  'answers are copies: changing one changes nothing else'({ Store, utf8 }) {
    const store = Store.memory();
    store.put(utf8('k'), utf8('v'));
    const { value } = store.get(utf8('k'));
    equal(value.buffer.byteLength, 1, 'a value keeps no more memory than its own');
    value.fill(0);
    equal(utf8(store.get(utf8('k')).value), 'v');
    store.free();
  },

  'the ways to name a range name the same keys as etcd’s pair'({ Store, utf8 }) {
    const store = Store.memory();
    for (const key of ['a', 'b', 'b1', 'b2', 'c']) store.put(utf8(key), utf8(''));
    const keys = (key, options) => store.range(utf8(key), options).kvs.map((kv) => utf8(kv.key)).join();
    equal(keys('b', { prefix: true }), 'b,b1,b2');
    equal(keys('b', { rangeEnd: utf8('c') }), 'b,b1,b2');
    equal(keys('b1', { fromKey: true }), 'b1,b2,c');
    equal(keys('b1', { rangeEnd: new Uint8Array([0]) }), 'b1,b2,c');
    equal(keys('', { prefix: true }), 'a,b,b1,b2,c');
    equal(keys('b', { prefix: false, rangeEnd: new Uint8Array(0) }), 'b');
    store.free();
  },

  'a key can be got at an old revision'({ Store, utf8 }) {
    const store = Store.memory();
    store.put(utf8('k'), utf8('old'));
    store.put(utf8('k'), utf8('new'));
    equal(utf8(store.get(utf8('k'), { revision: 2n }).value), 'old');
    equal(store.get(utf8('k'), { revision: 1n }), null);
    equal(utf8(store.get(utf8('k'), { revision: -1n }).value), 'new');
    store.free();
  },

  'history comes in parts of whole revisions that join without a gap'({ Store, utf8 }) {
    const store = Store.memory();
    for (let i = 0; i < 5; i += 1) {
      const put = (key) => ({ type: 'put', key: utf8(key), value: utf8(String(i)) });
      store.txn({ success: [put('a'), put('b')] });
    }
    const seen = [];
    let startRevision = 1n;
    for (let parts = 1; ; parts += 1) {
      const part = store.history(utf8(''), { prefix: true, startRevision, maxEvents: 3 });
      seen.push(...part.events.map(({ kv }) => kv.modRevision));
      if (part.nextRevision === null) {
        ok(parts > 1, 'one part had room for all');
        break;
      }
      startRevision = part.nextRevision;
    }
    equal(seen, [2n, 2n, 3n, 3n, 4n, 4n, 5n, 5n, 6n, 6n]);
    store.free();
  },

  'stores with the same history have the same hash, which is etcd’s'({ Store, utf8 }) {
    const [a, b] = [Store.memory(), Store.memory()];
    // What etcd answers for an empty store: the CRC-32C of the name of its table, "key".
    equal(a.hashKv(), { revision: 1n, hash: 1084519789, compactRevision: -1n, hashRevision: 1n });
    for (const store of [a, b]) store.put(utf8('k'), utf8('v'));
    equal(a.hashKv(), b.hashKv());
    b.put(utf8('k'), utf8('v'));
    ok(a.hashKv().hash !== b.hashKv().hash, 'the hash does not tell the stores apart');
    equal(a.hashKv().hash, b.hashKv(2n).hash);
    a.free();
    b.free();
  },

  'an image opens as the store that it was taken from'({ Store, utf8 }) {
    const first = Store.memory({ clock: 'manual' });
    first.put(utf8('k'), utf8('1'));
    first.put(utf8('k'), utf8('2'));
    const { id } = first.leaseGrant(60_000);
    const image = first.close();
    const second = Store.fromImage(image, { clock: 'manual' });
    const { epoch } = second.status();
    equal([second.revision, second.leases(), epoch], [3n, [id], 1n]);
    equal(utf8(second.get(utf8('k'), { revision: 2n }).value), '1');
    second.free();
  },

  'a damaged image is refused'({ Store, utf8, ...revwatch }) {
    const store = Store.memory();
    store.put(utf8('k'), utf8('v'));
    const image = store.close();
    fails(revwatch, 'InvalidOption', () => Store.fromImage(new Uint8Array(0)));
    fails(revwatch, 'NotAStore', () => Store.fromImage(image.map(() => 7)));
  },

  'two stores are two stores'({ Store, utf8 }) {
    const [a, b] = [Store.memory(), Store.memory()];
    a.put(utf8('k'), utf8('v'));
    equal([a.revision, b.revision, b.get(utf8('k'))], [2n, 1n, null]);
    a.free();
    b.put(utf8('k'), utf8('v'));
    b.free();
  },

  'text that is not UTF-8 is refused rather than shown wrongly'({ utf8 }) {
    equal(utf8(utf8('päß 🦀 \ufeff')), 'päß 🦀 \ufeff');
    let refused = false;
    try {
      utf8(new Uint8Array([0xff]));
    } catch {
      refused = true;
    }
    ok(refused, 'a byte 0xff is no UTF-8');
  },
};
