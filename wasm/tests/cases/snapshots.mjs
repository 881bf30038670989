import { equal, fails, ok } from '../check.mjs';

function filled({ Store, utf8 }) {
  const store = Store.memory();
  for (let i = 0; i < 30; i += 1) store.put(utf8(`k${i % 7}`), utf8(`value ${i}`));
  return store;
}

export const tests = {
  'a store is restored from a snapshot that was taken while writing went on'(revwatch) {
    const { Store, utf8 } = revwatch;
    const store = filled(revwatch);
    const { id } = store.leaseGrant(60_000);
    store.put(utf8('alive'), utf8(''), { lease: id });
    const { hash } = store.hashKv();
    const parts = [];
    const snapshot = store.snapshot({ maxBytes: 512 });
    equal(snapshot.revision, 32n);
    for (const part of snapshot) {
      ok(part.length <= 512);
      parts.push(part);
      store.put(utf8('later'), utf8('x'));
    }
    ok(parts.length > 1);
    for (const given of [parts, new Uint8Array(parts.flatMap((part) => [...part]))]) {
      const copy = Store.restore(given);
      equal([copy.revision, copy.hashKv().hash, copy.get(utf8('later'))], [32n, hash, null]);
      equal(copy.leases(), [id]);
      copy.put(utf8('goes'), utf8('on'));
      copy.free();
    }
    fails(revwatch, 'InvalidSnapshot', () => Store.restore(parts.slice(1)));
    fails(revwatch, 'InvalidSnapshot', () => Store.restore(parts.slice(0, -1)));
    fails(revwatch, 'InvalidSnapshot', () => Store.restore([]));
    store.free();
  },

  'a copy takes what happened since'(revwatch) {
    const { Store, utf8 } = revwatch;
    const store = filled(revwatch);
    const copy = Store.restore(store.snapshot());
    store.deleteRange(utf8('k1'));
    store.cursor(utf8('reader'), utf8('k'));
    equal(copy.applySnapshot(store.snapshot({ since: copy.revision })).revision, store.revision);
    equal(copy.hashKv(), store.hashKv());
    equal(copy.cursors().length, 1);
    fails(revwatch, 'SnapshotOutOfPlace', () => copy.applySnapshot(store.snapshot({ since: 3n })));
    fails(revwatch, 'SnapshotOutOfPlace', () => Store.restore(store.snapshot({ since: 3n })));
    fails(revwatch, 'FutureRevision', () => store.snapshot({ since: 99n }));
    const [first] = store.snapshot({ since: 1n, maxBytes: 512 });
    fails(revwatch, 'SnapshotOutOfPlace', () => copy.applySnapshot(first));
    copy.free();
    store.free();
  },

  'a snapshot that was let go of gives nothing more'(revwatch) {
    const store = filled(revwatch);
    const snapshot = store.snapshot({ maxBytes: 512 });
    for (const part of snapshot) {
      ok(part.length > 0);
      break;
    }
    equal([...snapshot], []);
    snapshot.free();
    store.free();
    snapshot.free();
  },

  'repair saves what is left of an image and names what is not'(revwatch) {
    const { Store, utf8 } = revwatch;
    const store = Store.memory();
    for (let i = 0; i < 600; i += 1) store.put(utf8(`key ${i}`), utf8(String(i).repeat(20)));
    const { hash } = store.hashKv();
    const image = store.close();
    const whole = Store.repair(image);
    equal([whole.report.isWhole, whole.report.damagedPages, whole.store.hashKv().hash], [true, [], hash]);
    whole.store.free();

    image[7 * 4096 + 2000] ^= 1;
    const { store: saved, report } = Store.repair(image);
    equal([report.isWhole, report.revision, report.damagedPages], [false, 601n, [7]]);
    equal(report.lostBetween.length, 1);
    const [{ after, before }] = report.lostBetween;
    ok(after < before && report.savedChanges === 600 - Number(before - after - 1n));
    equal(saved.get(utf8('key 0')).value, utf8('0'.repeat(20)));
    equal(saved.get(utf8(`key ${after - 1n}`)), null);
    saved.put(utf8('goes'), utf8('on'));
    saved.free();

    // Cut off in the middle of a page.
    const cut = Store.repair(image.slice(0, 10 * 4096 + 100));
    ok(!cut.report.isWhole && cut.report.pages === 11);
    cut.store.free();
    fails(revwatch, 'NotAStore', () => Store.repair(new Uint8Array(8192).fill(1)));
    fails(revwatch, 'NotAStore', () => Store.repair(new Uint8Array(0)));
  },
};
