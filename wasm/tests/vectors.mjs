// Runs the cases of tests/vectors, whose README says what they mean, through the JavaScript API.

import { canonical } from './check.mjs';

/** Runs all steps of one vector on a store of its own; throws at the first that differs. */
export function runVector(revwatch, vector) {
  allow(vector, 'name', 'about', 'options', 'steps');
  const world = new World(revwatch, storeOptions(vector.options));
  try {
    vector.steps.forEach((step, index) => {
      const where = `step ${index} (${step.op}${step.note ? `: ${step.note}` : ''})`;
      runStep(world, expand(step), where);
    });
  } finally {
    world.store.free();
  }
}

function runStep(world, step, where) {
  allow(step, 'op', 'args', 'expect', 'error', 'note');
  if (!Object.hasOwn(operations, step.op)) throw new Error(`${where}: unknown operation`);
  const operation = operations[step.op];
  const args = step.args ?? {};
  try {
    allow(args, ...operation.args);
    const answer = operation.run(world, args);
    if ('error' in step) throw new Error(`must fail with ${step.error}`);
    if (!('expect' in step)) return;
    const given = operation.compared ? operation.compared(answer, step.expect) : answer;
    if (given === uncompared) return;
    const [got, wanted] = [canonical(notation(given)), canonical(notation(step.expect))];
    if (got !== wanted) throw new Error(`\n  got    ${got}\n  wanted ${wanted}`);
  } catch (error) {
    const named = error instanceof world.revwatch.RevwatchError ? error.name : undefined;
    if (named === undefined || named !== step.error) {
      throw new Error(`${where}: ${error.message}`, { cause: error });
    }
  }
}

/** The store that steps run on, and what they have named. */
class World {
  nowMs = 0;

  constructor(revwatch, options) {
    this.revwatch = revwatch;
    this.options = options;
    this.fresh();
  }

  fresh() {
    this.store?.free();
    this.open(this.revwatch.Store.memory(this.options));
  }

  open(store) {
    this.store = store;
    this.streams = new Map();
    this.follows = new Map();
    this.rangeStreams = new Map();
    this.step(this.nowMs);
  }

  step(nowMs) {
    this.nowMs = Math.max(this.nowMs, nowMs);
    this.store.step(nowMs);
  }

  stream(name = '') {
    if (!this.streams.has(name)) this.streams.set(name, this.store.watchStream());
    return this.streams.get(name);
  }

  /** Polls, and steps with the clock where it is while there is nothing. */
  poll(source, maxEvents = 0) {
    for (let asked = 0; ; asked += 1) {
      const response = source.poll({ maxEvents: maxEvents || 1000, maxBytes: 1024 * 1024 });
      if (response !== null) {
        const { type, ...fields } = response;
        return { [type]: fields };
      }
      if (asked === 4) return 'idle';
      this.step(this.nowMs);
    }
  }
}

/** How a store is opened, from the options of a vector. */
function storeOptions(options = {}) {
  allow(options, 'seed', 'retain_revisions', 'request_bytes', 'txn_ops', 'catch_up_revisions');
  const { seed = 1, retain_revisions: retainRevisions, ...limits } = options;
  const named = Object.entries(limits).map(([name, limit]) => [camelName(name), limit]);
  return { clock: 'manual', seed: int(seed), retainRevisions, limits: Object.fromEntries(named) };
}

/** All responses until there is none. Where one ends and the next begins is a matter of room, except
 * that a revision is never split: so the events of one watcher are put together, and the parts of a
 * state. */
function drain(poll) {
  const responses = [];
  for (let response = poll(); response !== 'idle'; response = poll()) {
    const { state, events } = response;
    const last = responses.at(-1);
    if (events !== undefined) delete events.revision;
    if (state !== undefined && last?.state !== undefined) {
      last.state.kvs.push(...state.kvs);
    } else if (events !== undefined && last?.events?.watchId === events.watchId && last?.events) {
      const [before, after] = [last.events.events.at(-1), events.events[0]];
      if (before.kv.modRevision >= after.kv.modRevision) {
        throw new Error(`revision ${after.kv.modRevision} is split or out of order`);
      }
      last.events.events.push(...events.events);
    } else {
      responses.push(response);
    }
  }
  return { responses };
}

const range = ['key', 'range_end', 'prefix'];
const uncompared = Symbol('uncompared');
const ignore = () => uncompared;
const putArgs = ['key', 'value', 'lease', 'prev_kv', 'ignore_value', 'ignore_lease'];
const rangeArgs = [
  ...range, 'revision', 'limit', 'sort_order', 'sort_target', 'keys_only', 'count_only',
  'min_mod_revision', 'max_mod_revision', 'min_create_revision', 'max_create_revision',
]; // prettier-ignore
const watchArgs = [
  ...range, 'ranges', 'start_revision', 'watch_id', 'prev_kv', 'no_put', 'no_delete', 'keys_only', 'fragment',
  'progress_notify', 'conflate',
]; // prettier-ignore

const operations = {
  put: {
    args: putArgs,
    run: ({ store }, { key, value, ...options }) => store.put(bytes(key), bytes(value), camel(options)),
  },
  range: {
    args: rangeArgs,
    run: ({ store }, { key, ...options }) => store.range(bytes(key), camel(options)),
  },
  delete_range: {
    args: [...range, 'prev_kv'],
    run: ({ store }, { key, ...options }) => store.deleteRange(bytes(key), camel(options)),
  },
  txn: {
    args: ['compare', 'success', 'failure'],
    run: ({ store }, args) => unwrapTxn(store.txn(txn(args))),
  },
  range_stream: {
    args: ['name', ...range, 'revision'],
    run({ store, rangeStreams }, { name = '', key, ...options }) {
      const stream = store.rangeStream(bytes(key), camel(options));
      rangeStreams.get(name)?.free();
      rangeStreams.set(name, stream);
      return { revision: stream.revision };
    },
  },
  next_kvs: {
    args: ['name', 'max_keys'],
    run: ({ rangeStreams }, { name = '', max_keys: maxKeys }) => ({
      kvs: rangeStreams.get(name).nextKvs({ maxKeys }),
    }),
  },
  compact: { args: ['revision'], run: ({ store }, { revision }) => store.compact(int(revision)) },
  hash_kv: { args: ['revision'], run: ({ store }, { revision }) => store.hashKv(int(revision)) },
  lease_grant: {
    args: ['id', 'ttl_ms'],
    run: ({ store }, { id, ttl_ms: ttlMs = 0 }) => store.leaseGrant(ttlMs, { id: int(id) }),
  },
  lease_revoke: { args: ['id'], run: ({ store }, { id }) => store.leaseRevoke(int(id)) },
  lease_keep_alive: { args: ['id'], run: ({ store }, { id }) => store.leaseKeepAlive(int(id)) },
  lease_time_to_live: {
    args: ['id', 'keys'],
    run: ({ store }, { id, keys }) => store.leaseTimeToLive(int(id), { keys }),
  },
  leases: { args: [], run: ({ store }) => ({ leases: store.leases() }) },
  step: { args: ['now_ms'], run: (world, { now_ms: nowMs = 0 }) => world.step(nowMs), compared: ignore },
  history: {
    args: [...range, 'start_revision', 'max_events'],
    run({ store }, { key, max_events: maxEvents, ...options }) {
      return store.history(bytes(key), { ...camel(options), maxEvents });
    },
  },
  status: {
    args: [],
    run: ({ store }) => store.status(),
    compared(status, expect) {
      allow(expect, 'revision', 'compact_revision', 'keys', 'leases');
      const named = Object.keys(expect).map((name) => [name, status[camelName(name)]]);
      return Object.fromEntries(named);
    },
  },
  watch: {
    args: ['stream', ...watchArgs],
    run(world, { stream, key, ranges: given = [], ...options }) {
      const ranges = given.map(({ key: more, ...rest }) => (allow(rest, ...range), { key: bytes(more), ...camel(rest) }));
      return { watchId: world.stream(stream).watch(bytes(key), { ...camel(options), ranges }) };
    },
  },
  request_progress: {
    args: ['stream'],
    run: (world, { stream }) => ({ told: world.stream(stream).requestProgress() }),
  },
  cancel_watch: {
    args: ['stream', 'watch_id'],
    run: (world, { stream, watch_id: id }) => world.stream(stream).cancel(int(id)),
    compared: ignore,
  },
  poll: {
    args: ['stream', 'max_events'],
    run: (world, { stream, max_events: maxEvents }) => world.poll(world.stream(stream), maxEvents),
  },
  drain: {
    args: ['stream', 'max_events'],
    run: (world, { stream, max_events: maxEvents }) => drain(() => world.poll(world.stream(stream), maxEvents)),
  },
  drain_follow: {
    args: ['name', 'max_events'],
    run: (world, { name = '', max_events: maxEvents }) =>
      drain(() => world.poll(world.follows.get(name), maxEvents)),
  },
  follow: {
    args: ['name', ...range, 'resume_revision'],
    run({ store, follows }, { name = '', key, resume_revision: revision, ...options }) {
      const { epoch } = store.resumeToken();
      const resume = revision === undefined ? undefined : { epoch, revision: int(revision) };
      follows.get(name)?.free();
      follows.set(name, store.follow(bytes(key), { ...camel(options), resume }));
    },
    compared: ignore,
  },
  poll_follow: {
    args: ['name', 'max_events'],
    run: (world, { name = '', max_events: maxEvents }) => world.poll(world.follows.get(name), maxEvents),
  },
  reopen: {
    args: [],
    run(world) {
      const image = world.store.close();
      world.open(world.revwatch.Store.fromImage(image, world.options));
    },
    compared: ignore,
  },
  fresh: { args: [], run: (world) => ((world.nowMs = 0), world.fresh()), compared: ignore },
};

/** Refuses an object with a field other than these. */
function allow(object, ...names) {
  const unknown = Object.keys(object).filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`unknown field ${unknown.join(', ')}`);
}

/** Arguments with etcd's names as this API's options: the same names in camelCase. */
function camel(args) {
  const convert = (name, value) => {
    if (name === 'range_end') return bytes(value);
    return name !== 'limit' && (typeof value === 'number' || name === 'lease') ? int(value) : value;
  };
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [camelName(name), convert(name, value)]),
  );
}

function camelName(name) {
  return name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
}

function snakeName(name) {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function int(number = 0) {
  return BigInt(number);
}

function bytes(value = '') {
  if (typeof value === 'string') return new TextEncoder().encode(value);
  allow(value, 'hex');
  return Uint8Array.from(value.hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function txn(args) {
  allow(args, 'compare', 'success', 'failure');
  return {
    compare: args.compare?.map(compare),
    success: args.success?.map(op),
    failure: args.failure?.map(op),
  };
}

function compare(args) {
  allow(args, ...range, 'target', 'op', 'operand');
  const { key, target, op, operand, ...options } = args;
  const converted = target === 'value' ? bytes(operand) : int(operand);
  return { key: bytes(key), target, op, operand: converted, ...camel(options) };
}

function op(object) {
  const [[name, args], ...others] = Object.entries(object);
  if (others.length > 0) throw new Error(`an operation has two names: ${Object.keys(object)}`);
  const allowed = { put: putArgs, range: rangeArgs, delete_range: [...range, 'prev_kv'], txn: [] };
  if (!Object.hasOwn(allowed, name)) throw new Error(`unknown operation ${name}`);
  if (name === 'txn') return { type: 'txn', ...txn(args) };
  allow(args, ...allowed[name]);
  const { key, value, ...options } = args;
  const converted = { type: camelName(name), key: bytes(key), ...camel(options) };
  return name === 'put' ? { ...converted, value: bytes(value) } : converted;
}

/** The answer to a transaction with each operation's answer under its name. */
function unwrapTxn({ responses, ...answer }) {
  const unwrap = ({ type, ...response }) => ({
    [snakeName(type)]: type === 'txn' ? unwrapTxn(response) : response,
  });
  return { ...answer, responses: responses.map(unwrap) };
}

/** An answer as vectors write it: etcd's names, zeros left out, bytes as text or hex. */
function notation(value) {
  if (typeof value === 'bigint') {
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  }
  if (value instanceof Uint8Array) return bytesNotation(value);
  if (Array.isArray(value)) return value.map(notation);
  if (typeof value !== 'object' || value === null) return value;
  const event = value.kv !== undefined && value.type !== undefined;
  const { type, ...fields } = value;
  const kind = event ? { kind: type.toLowerCase() } : {};
  const entries = Object.entries(event ? { ...kind, ...fields } : value)
    .map(([name, field]) => [snakeName(name), notation(field)])
    .filter(([, field]) => !isZero(field));
  return Object.fromEntries(entries);
}

function isZero(value) {
  if (Array.isArray(value)) return value.length === 0;
  return value === undefined || value === null || value === 0 || value === false || value === '';
}

function bytesNotation(value) {
  if (value.every((byte) => byte >= 0x20 && byte < 0x7f)) return new TextDecoder().decode(value);
  return { hex: [...value].map((byte) => byte.toString(16).padStart(2, '0')).join('') };
}

/** Writes repetitions out: of elements in a list, of text anywhere else. */
function expand(value) {
  if (Array.isArray(value)) {
    return value.flatMap((each) => {
      if (!isRepetition(each)) return [expand(each)];
      return Array.from({ length: each.times }, () => expand(each.repeat));
    });
  }
  if (typeof value !== 'object' || value === null) return value;
  if (isRepetition(value)) return value.repeat.repeat(value.times);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, expand(each)]));
}

function isRepetition(value) {
  return typeof value === 'object' && value !== null && 'repeat' in value && 'times' in value;
}
