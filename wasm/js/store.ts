import { Changes, type ChangesOptions } from './changes.js';
import { Cursor, type CursorOptions, type CursorReport, readCursors } from './cursor.js';
import { dispose } from './dispose.js';
import { Engine, type StepResponse } from './engine.js';
import { invalidOption } from './error.js';
import { Follow, type FollowOptions } from './follow.js';
import {
  type LeaseGrantOptions,
  type LeaseGrantResponse,
  type LeaseKeepAliveResponse,
  type LeaseRevokeResponse,
  Leases,
  type LeaseTimeToLiveOptions,
  type LeaseTimeToLiveResponse,
} from './lease.js';
import { enter, open } from './module.js';
import { clockOf, type StoreOptions, writeOptions } from './options.js';
import { RangeStream, type RangeStreamOptions } from './range-stream.js';
import { type Event, type KeyValue, readEvents, readOptionalKeyValue, type ResumeToken } from './record.js';
import {
  type DeleteRangeOptions,
  type DeleteRangeResponse,
  type KeyRangeOptions,
  type PutOptions,
  type PutResponse,
  type RangeOptions,
  type RangeResponse,
  readDeleteRange,
  readPut,
  readRange,
  writeDeleteRange,
  writeKeyRange,
  writePut,
  writeRange,
} from './request.js';
import { open as openRaw, repair as repairRaw, restore as restoreRaw } from './revwatch_wasm.js';
import { readRepairReport, type Repaired } from './repair.js';
import { join, Snapshot, type SnapshotOptions } from './snapshot.js';
import { readStatus, type Status } from './status.js';
import { readTxn, type TxnRequest, type TxnResponse, writeTxn } from './txn.js';
import { readWatchers, Watch, type WatcherReport, type WatchOptions, WatchStream } from './watch.js';
import { checkBytes, checkInt, checkObject, type Reader, Writer } from './wire.js';

/** The answer to a compaction. */
export interface CompactResponse {
  /** The store's revision, which a compaction leaves as it is. */
  readonly revision: bigint;
}

/** The answer to changes that were applied. */
export interface ApplyChangesResponse {
  /** The store's revision now: that of the last transaction of the changes. */
  readonly revision: bigint;
}

/** A hash of a store's contents, which two stores with the same history agree on. */
export interface HashKvResponse {
  /** The store's current revision. */
  readonly revision: bigint;
  /** The hash of what is kept up to `hashRevision`: etcd's, an unsigned 32-bit number. */
  readonly hash: number;
  /** The revision that was compacted last; -1 before any compaction. */
  readonly compactRevision: bigint;
  /** The revision up to which changes were hashed. */
  readonly hashRevision: bigint;
}

/** What of the history to read. */
export interface HistoryOptions extends KeyRangeOptions {
  /** The first revision of interest; the oldest kept one if not given. */
  readonly startRevision?: bigint | undefined;
  /** At most so many events, but at least one whole revision; all of them if not given. */
  readonly maxEvents?: number | undefined;
}

/** A part of the history. */
export interface HistoryResponse {
  /** Whole revisions, in order. */
  readonly events: Event[];
  /** Where to go on, if `maxEvents` ended this part; `null` if it reaches the present. */
  readonly nextRevision: bigint | null;
}

/** How to get one key. */
export interface GetOptions {
  /** As of which revision; 0 or negative for the current one. */
  readonly revision?: bigint | undefined;
}

/** A store in the module's memory, made of bytes in one of several ways, and what was answered. */
function opened(
  options: StoreOptions,
  bytes: Uint8Array,
  make: typeof openRaw = openRaw,
): { readonly engine: Engine; readonly answer: Reader } {
  const encoded = writeOptions(options);
  const clock = clockOf(options);
  const outcome = enter(() => make(encoded, bytes));
  const raw = enter(() => outcome.take());
  const status = enter(() => outcome.status());
  enter(() => outcome.free());
  const answer = open(status);
  if (raw === undefined) throw new TypeError('a store was opened but is missing');
  return { engine: new Engine(raw, clock), answer };
}

/**
 * A store: keys with values and all their revisions, transactions, leases, watches.
 *
 * Everything but the waiting of iterators happens at once, on the calling thread. A store lives in
 * the module's memory until it is freed: by `free`, `close`, a `using` declaration, or at the
 * latest when it is garbage.
 *
 * ```ts
 * await init();
 * const store = Store.memory();
 * store.put(utf8('hello'), utf8('world'));
 * console.log(store.get(utf8('hello'))?.modRevision); // 2n
 * ```
 */
export class Store {
  readonly #engine: Engine;
  readonly #leases: Leases;

  private constructor(engine: Engine) {
    this.#engine = engine;
    this.#leases = new Leases(engine);
  }

  /** A new, empty store in memory. */
  static memory(options: StoreOptions = {}): Store {
    return new Store(opened(options, new Uint8Array(0)).engine);
  }

  /** The store whose image {@link close} answered, here or anywhere else. */
  static fromImage(image: Uint8Array, options: StoreOptions = {}): Store {
    checkBytes('image', image);
    if (image.length === 0) throw invalidOption('the image is empty: use Store.memory() for a new store');
    return new Store(opened(options, image).engine);
  }

  /**
   * A new store out of a {@link snapshot} of a whole one: its bytes, or its parts in order. Throws
   * `InvalidSnapshot` unless all of it is there and whole.
   */
  static restore(parts: Uint8Array | Iterable<Uint8Array>, options: StoreOptions = {}): Store {
    return new Store(opened(options, join(parts), restoreRaw).engine);
  }

  /**
   * Saves what can be saved of a damaged image into a new store, and reports what could not be. Every
   * key that is saved was so; what nobody can know any more is not made up, but named. Throws
   * `NotAStore` if nothing says that the image is one.
   */
  static repair(image: Uint8Array, options: StoreOptions = {}): Repaired {
    checkBytes('image', image);
    const { engine, answer } = opened(options, image, repairRaw);
    return { store: new Store(engine), report: readRepairReport(answer) };
  }

  /** The current revision; 1 in an empty store. */
  get revision(): bigint {
    return this.#engine.call((raw) => raw.revision());
  }

  /** Creates or changes a key. */
  put(key: Uint8Array, value: Uint8Array, options: PutOptions = {}): PutResponse {
    const writer = new Writer();
    writePut(writer, key, value, options);
    return readPut(this.#engine.change((raw) => raw.put(writer.written)));
  }

  /** One key with its value, or `null` if there is none. */
  get(key: Uint8Array, options: GetOptions = {}): KeyValue | null {
    const { revision = 0n } = checkObject('options', options);
    if (checkInt('revision', revision) > 0n) {
      return this.range(key, { revision }).kvs[0] ?? null;
    }
    checkBytes('key', key);
    return readOptionalKeyValue(this.#engine.ask((raw) => raw.get(key)));
  }

  /** The keys of a range with their values. */
  range(key: Uint8Array, options: RangeOptions = {}): RangeResponse {
    const writer = new Writer();
    writeRange(writer, key, options);
    return readRange(this.#engine.ask((raw) => raw.range(writer.written)));
  }

  /**
   * Walks over a range of any size, all as of one revision.
   *
   * ```ts
   * for (const kv of store.rangeStream(utf8('/task/'), { prefix: true })) console.log(kv.value);
   * ```
   */
  rangeStream(key: Uint8Array, options: RangeStreamOptions = {}): RangeStream {
    return new RangeStream(this.#engine, key, options);
  }

  /** Deletes the keys of a range, all at one revision. */
  deleteRange(key: Uint8Array, options: DeleteRangeOptions = {}): DeleteRangeResponse {
    const writer = new Writer();
    writeDeleteRange(writer, key, options);
    return readDeleteRange(this.#engine.change((raw) => raw.deleteRange(writer.written)));
  }

  /** If, then, else: atomically, at one revision. */
  txn(request: TxnRequest): TxnResponse {
    const writer = new Writer();
    writeTxn(writer, request);
    return readTxn(this.#engine.change((raw) => raw.txn(writer.written)));
  }

  /** Forgets what was superseded at `revision`; earlier revisions can no longer be read. */
  compact(revision: bigint): CompactResponse {
    const checked = checkInt('revision', revision);
    return { revision: this.#engine.change((raw) => raw.compact(checked)).int() };
  }

  /** The kept events of a range up to now, in their order. */
  history(key: Uint8Array, options: HistoryOptions = {}): HistoryResponse {
    const writer = new Writer();
    writeKeyRange(writer, key, options);
    writer.int('startRevision', options.startRevision).count('maxEvents', options.maxEvents);
    const answer = this.#engine.ask((raw) => raw.history(writer.written));
    const events = readEvents(answer);
    const next = answer.int();
    return { events, nextRevision: next === 0n ? null : next };
  }

  /** A hash of what is kept up to `revision`, or up to now. Costs by the length of the history. */
  hashKv(revision: bigint = 0n): HashKvResponse {
    const checked = checkInt('revision', revision);
    const answer = this.#engine.ask((raw) => raw.hashKv(checked));
    return {
      revision: answer.int(),
      hash: answer.count(),
      compactRevision: answer.int(),
      hashRevision: answer.int(),
    };
  }

  /** A stream for many watchers. */
  watchStream(): WatchStream {
    return new WatchStream(this.#engine);
  }

  /**
   * Watches a key, or the range that it begins: every change once, in order, whole revisions at a
   * time, however slow the reader is.
   *
   * ```ts
   * for await (const response of store.watch(utf8('/task/'), { prefix: true })) {
   *   if (response.type === 'events') for (const event of response.events) console.log(event);
   * }
   * ```
   */
  watch(key: Uint8Array, options: WatchOptions = {}): Watch {
    return new Watch(this.#engine, key, options);
  }

  /**
   * Where every watcher stands, those of followers and cursors too. Costs by the watchers and by what
   * waits for them.
   */
  watchers(): WatcherReport[] {
    return readWatchers(this.#engine.ask((raw) => raw.watchers()));
  }

  /** Follows a key, or the range that it begins: its state, then every change after that. */
  follow(key: Uint8Array, options: FollowOptions = {}): Follow {
    return new Follow(this.#engine, key, options);
  }

  /**
   * Opens the durable cursor of a name, and makes it if there is none. One that is there goes on
   * after what was acknowledged.
   *
   * ```ts
   * const cursor = store.cursor(utf8('mailer'), utf8('/mail/'), { prefix: true });
   * for await (const response of cursor) {
   *   if (response.type === 'events') for (const event of response.events) await send(event);
   *   cursor.ack();
   * }
   * ```
   */
  cursor(name: Uint8Array, key: Uint8Array, options: CursorOptions = {}): Cursor {
    return new Cursor(this.#engine, name, key, options);
  }

  /** All cursors, in the order of their names. */
  cursors(): CursorReport[] {
    return readCursors(this.#engine.ask((raw) => raw.cursors()));
  }

  /** Deletes the cursor of a name, open or not. */
  deleteCursor(name: Uint8Array): void {
    checkBytes('name', name);
    this.#engine.change((raw) => raw.deleteCursor(name));
  }

  /** Every change after `from`, of all keys: to look at, or to carry to another store. */
  changes(from: bigint, options: ChangesOptions = {}): Changes {
    const { to = 0n } = checkObject('options', options);
    return new Changes(this.#engine, from, to);
  }

  /**
   * Applies chunks of another store's changes. This store must stand where they begin; afterwards it
   * has the same revisions, keys and hash. Nothing is applied if the bytes are damaged or cut short.
   */
  applyChanges(chunks: Uint8Array): ApplyChangesResponse {
    checkBytes('chunks', chunks);
    return { revision: this.#engine.change((raw) => raw.applyChanges(chunks)).int() };
  }

  /**
   * Begins a snapshot of the store as it is now, or with `since` of what happened after that
   * revision. It gives its bytes in parts, while writing goes on.
   */
  snapshot(options: SnapshotOptions = {}): Snapshot {
    return new Snapshot(this.#engine, checkObject('options', options));
  }

  /**
   * Applies a snapshot of what happened in another store since the revision that this one is at: its
   * bytes, or its parts in order. This store then has the keys, history, leases and cursors of the
   * other. What was applied before an error stays, in whole transactions. A lease that runs out here
   * deletes its keys here, and then this is no copy any more.
   */
  applySnapshot(parts: Uint8Array | Iterable<Uint8Array>): ApplyChangesResponse {
    const bytes = join(parts);
    return { revision: this.#engine.changeTimed((raw) => raw.applySnapshot(bytes)).int() };
  }

  /** Grants a lease for `ttlMs` milliseconds; keys attached to it are deleted when it ends. */
  leaseGrant(ttlMs: number, options: LeaseGrantOptions = {}): LeaseGrantResponse {
    return this.#leases.grant(ttlMs, options);
  }

  /** Ends a lease and deletes its keys, at one revision. */
  leaseRevoke(id: bigint): LeaseRevokeResponse {
    return this.#leases.revoke(id);
  }

  /** Gives a lease its full time again. */
  leaseKeepAlive(id: bigint): LeaseKeepAliveResponse {
    return this.#leases.keepAlive(id);
  }

  /** How much time a lease has left. */
  leaseTimeToLive(id: bigint, options: LeaseTimeToLiveOptions = {}): LeaseTimeToLiveResponse {
    return this.#leases.timeToLive(id, options);
  }

  /** The ids of all leases, ascending. */
  leases(): bigint[] {
    return this.#leases.all();
  }

  /** The present point in history, to watch or follow on from later. */
  resumeToken(): ResumeToken {
    const answer = this.#engine.ask((raw) => raw.resumeToken());
    return { epoch: answer.int(), revision: answer.int() };
  }

  /** How the store is. */
  status(): Status {
    return readStatus(this.#engine.ask((raw) => raw.status()));
  }

  /** Verifies the whole store; throws what is broken. */
  check(): void {
    this.#engine.ask((raw) => raw.check());
  }

  /**
   * Does what is due: expired leases, watchers that catch up. Every operation and every waiting
   * iterator does it too. With `clock: "manual"`, `nowMs` is the time from now on.
   */
  step(nowMs?: number): StepResponse {
    return this.#engine.step(nowMs);
  }

  /** Closes the store, frees it, and answers with its image, which {@link fromImage} opens. */
  close(): Uint8Array {
    const image = this.#engine.ask((raw) => raw.close()).bytes();
    this.free();
    return image;
  }

  /**
   * Gives the store's memory back. Whatever is done with the store, its watches and its followers
   * afterwards throws a {@link RevwatchError} named `Closed`. Harmless the second time.
   */
  free(): void {
    this.#engine.free();
  }

  [dispose](): void {
    this.free();
  }
}
