import { equal, fails, ok } from '../check.mjs';

/** The revisions of the events that there are now. */
function told(cursor) {
  const revisions = [];
  for (let response = cursor.poll(); response !== null; response = cursor.poll()) {
    equal(response.type, 'events');
    revisions.push(...response.events.map(({ kv }) => kv.modRevision));
  }
  return revisions;
}

export const tests = {
  'a cursor goes on after the last acknowledgement, in the image too'({ Store, utf8 }) {
    const store = Store.memory();
    const [k, name] = [utf8('k'), utf8('c')];
    for (let i = 0; i < 4; i += 1) store.put(k, k);
    const cursor = store.cursor(name, k, { startRevision: 1n });
    equal(cursor.poll({ maxEvents: 2 }).revision, 3n);
    cursor.ack();
    equal(told(cursor), [4n, 5n]);
    const later = Store.fromImage(store.close());
    const again = later.cursor(name, k);
    equal(told(again), [4n, 5n]);
    later.put(utf8('other'), k);
    equal(again.revision, 5n);
    equal(again.poll(), null);
    again.ack();
    const [report] = later.cursors();
    equal([report.ackedRevision, report.lagRevisions, report.open, report.hold], [6n, 0n, true, false]);
    equal([utf8(report.name), utf8(report.key), report.rangeEnd.length], ['c', 'k', 0]);
    again.seek(2n);
    equal(told(again), [2n, 3n, 4n, 5n]);
    later.free();
  },

  'a hold keeps history from compaction until it is acknowledged'({ Store, utf8, ...revwatch }) {
    const store = Store.memory();
    const k = utf8('k');
    const cursor = store.cursor(utf8('c'), k, { startRevision: 1n, hold: true, prefix: true });
    for (let i = 0; i < 4; i += 1) store.put(k, k);
    fails(revwatch, 'HeldByCursor', () => store.compact(3n));
    fails(revwatch, 'AckNotDelivered', () => cursor.ack(2n));
    equal(told(cursor), [2n, 3n, 4n, 5n]);
    cursor.ack(3n);
    store.compact(4n);
    const free = store.cursor(utf8('c'), k, { prefix: true });
    store.compact(5n);
    equal(free.poll(), { type: 'compacted', compactRevision: 5n });
    equal(told(free), [5n]);
    store.free();
  },

  'who opens a cursor takes it over, and a deleted one is gone'({ Store, utf8, ...revwatch }) {
    const store = Store.memory();
    const [k, name] = [utf8('k'), utf8('c')];
    const first = store.cursor(name, k);
    const second = store.cursor(name, k);
    fails(revwatch, 'CursorNotFound', () => first.poll());
    fails(revwatch, 'CursorExists', () => store.cursor(name, utf8('z')));
    store.deleteCursor(name);
    fails(revwatch, 'CursorNotFound', () => second.ack());
    fails(revwatch, 'CursorNotFound', () => store.deleteCursor(name));
    second.free();
    fails(revwatch, 'Closed', () => second.ack(1n));
    fails(revwatch, 'InvalidArgument', () => store.cursor('c', k));
    equal(store.cursors(), []);
    equal(store.status().watchStreams, 0);
    store.free();
  },

  async 'a cursor is an async iterator'({ Store, utf8 }) {
    const store = Store.memory();
    const k = utf8('k');
    setTimeout(() => store.put(k, k), 5);
    for await (const response of store.cursor(utf8('c'), k)) {
      equal([response.type, response.revision], ['events', 2n]);
      break;
    }
    equal(store.cursors()[0].open, false);
    store.free();
  },

  'a consumer that saw what was lost is told'({ Store, utf8 }) {
    const store = Store.memory();
    const k = utf8('k');
    store.put(k, k);
    const seen = { epoch: 1n, revision: 9n };
    const cursor = store.cursor(utf8('c'), k, { startRevision: 1n, seen });
    equal(cursor.poll(), { type: 'rewound', revision: 2n });
    equal(told(cursor), [2n]);
    store.free();
  },

  'a store that applied all changes is the same store'({ Store, utf8, ...revwatch }) {
    const [source, copy] = [Store.memory(), Store.memory()];
    for (let i = 0; i < 9; i += 1) source.put(utf8(`k${i % 4}`), utf8(`${i}`));
    source.deleteRange(utf8('k'), { prefix: true });
    for (const chunk of source.changes(copy.revision).chunks(50)) {
      fails(revwatch, 'InvalidChanges', () => copy.applyChanges(chunk.subarray(1)));
      equal(copy.applyChanges(chunk).revision, copy.revision);
      fails(revwatch, 'ChangesOutOfPlace', () => copy.applyChanges(chunk));
    }
    equal(copy.hashKv(), source.hashKv());
    const events = [...source.changes(3n, { to: 6n })].map(({ kv }) => kv.modRevision);
    equal(events, [4n, 5n, 6n]);
    source.compact(5n);
    fails(revwatch, 'Compacted', () => source.changes(4n));
    fails(revwatch, 'FutureRevision', () => source.changes(99n));
    const other = Store.memory();
    other.put(utf8('another'), utf8('history'));
    const late = source.changes(6n);
    ok(late.revision === 6n, 'a walk begins where it was told to');
    source.free();
    fails(revwatch, 'Closed', () => [...late]);
    copy.free();
    other.free();
  },
};
