// A user's program, compiled with `strict` and never run: what must and must not type-check.

import { errorCodes, type Event, init, type Op, RevwatchError, Store, utf8 } from 'revwatch';

await init();
await init(new URL('https://example.com/revwatch_wasm_bg.wasm'));

const options: { prefix: boolean; limit?: number } = { prefix: true };
{
  using store = Store.memory({ limits: { txnOps: 8 }, clock: 'manual' });
  const { revision, prevKv } = store.put(utf8('k'), utf8('v'), { prevKv: true });
  const next: bigint = revision + 1n;
  const before: string = prevKv === null ? '' : utf8(prevKv.value);
  const op: Op = { type: 'put', key: utf8(before), value: utf8(String(next)) };
  const answer = store.txn({
    compare: [{ key: utf8('k'), target: 'version', op: '=', operand: 0n }],
    success: [op, { type: 'range', key: utf8('k'), ...options }],
  });
  for (const response of answer.responses) {
    if (response.type === 'range') response.kvs.map((kv) => kv.modRevision);
  }
  for await (const response of store.watch(utf8('k'))) {
    const events: readonly Event[] = response.type === 'events' ? response.events : [];
    events.map(({ type }) => type === 'DELETE');
  }
  const ranges = [{ key: utf8('a'), prefix: true }, { key: utf8('b') }];
  const asked = { ranges, keysOnly: true, fragment: true, progressNotify: true, conflate: true };
  for await (const response of store.watch(utf8('k'), asked)) {
    if (response.type === 'events') response.fragment satisfies boolean;
    if (response.type === 'progress') response.revision satisfies bigint;
  }
  store.watchers().map(({ state, ranges: watched }) => (state === 'victim' ? watched : []));
  for await (const response of store.follow(utf8('k'), { resume: store.resumeToken() })) {
    if (response.type === 'state') response.kvs.length;
  }

  for (const kv of store.rangeStream(utf8('k'), { prefix: true, revision: 2n })) kv.version satisfies bigint;

  // @ts-expect-error: revisions are bigint.
  store.compact(1);
  // @ts-expect-error: keys are bytes.
  store.get('k');
  // @ts-expect-error: a comparison of a version takes a bigint.
  store.txn({ compare: [{ key: utf8('k'), target: 'version', op: '=', operand: utf8('') }] });
  // @ts-expect-error: no such option.
  store.range(utf8('k'), { prefx: true });
  // @ts-expect-error: stores are made by Store.memory and Store.fromImage.
  new Store();
}

try {
  Store.memory().put(new Uint8Array(0), new Uint8Array(0));
} catch (error) {
  if (error instanceof RevwatchError && error.code === errorCodes.EmptyKey) error.name satisfies string;
}
