import { equal, ok } from '../check.mjs';

export const tests = {
  'with a manual clock only step tells the time'({ Store, utf8 }) {
    const store = Store.memory({ clock: 'manual' });
    store.step(1000);
    const { id, ttlMs } = store.leaseGrant(5000);
    equal(ttlMs, 5000);
    store.put(utf8('k'), utf8('v'), { lease: id });
    store.step(3500);
    equal(store.leaseTimeToLive(id, { keys: true }), {
      id,
      ttlMs: 2500,
      grantedTtlMs: 5000,
      keys: [utf8('k')],
      revision: 2n,
    });
    equal(store.leaseKeepAlive(id).ttlMs, 5000);
    store.step(8499);
    ok(store.get(utf8('k')) !== null, 'the lease was kept alive');
    store.step(8501);
    store.step(8501);
    equal([store.get(utf8('k')), store.leases(), store.revision], [null, [], 3n]);
    equal([store.leaseTimeToLive(id).ttlMs, store.leaseKeepAlive(id).ttlMs], [-1, 0]);
    store.free();
  },

  'a lease counts from when it is granted or kept alive, not from the last step'({ Store }) {
    let nowMs = 0;
    const store = Store.memory({ clock: () => nowMs });
    store.status();
    nowMs = 10_000;
    const { id } = store.leaseGrant(5000);
    nowMs = 14_000;
    equal(store.leaseTimeToLive(id).ttlMs, 1000);
    store.leaseKeepAlive(id);
    nowMs = 18_999;
    equal([store.leases(), store.leaseTimeToLive(id).ttlMs], [[id], 1]);
    nowMs = 19_001;
    equal(store.leases(), []);
    store.free();
  },

  async 'a lease that ends while all are waiting wakes its watchers'({ Store, utf8 }) {
    // The clock leaps: no test waits for a real lease.
    let nowMs = 0;
    const store = Store.memory({ clock: () => nowMs, limits: { leaseMinTtlMs: 1 } });
    const { id } = store.leaseGrant(20);
    store.put(utf8('k'), utf8('v'), { lease: id });
    const watch = store.watch(utf8('k'));
    await watch.next();
    const deleted = watch.next();
    await Promise.resolve();
    nowMs = 1000;
    const { value } = await deleted;
    equal(value.events.map(({ type }) => type), ['DELETE']);
    store.free();
  },

  'a revoked lease takes its keys along, at one revision'({ Store, utf8 }) {
    const store = Store.memory();
    const { id } = store.leaseGrant(60_000, { id: -5n });
    equal(id, -5n);
    store.put(utf8('b'), utf8(''), { lease: id });
    store.put(utf8('a'), utf8(''), { lease: id });
    equal(store.leaseRevoke(id), { revision: 4n });
    equal(store.range(utf8(''), { prefix: true }).count, 0);
    store.free();
  },
};
