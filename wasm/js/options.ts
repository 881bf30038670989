import { invalidArgument, invalidOption } from './error.js';
import { checkInt, checkObject, show, Writer } from './wire.js';

/** What a store refuses, so that one caller's mistake stays one caller's mistake. */
export interface Limits {
  /** Keys and values of one request together, in bytes (1.5 MiB). */
  readonly requestBytes?: number | undefined;
  /** Comparisons, and operations in each branch, of one transaction (128). */
  readonly txnOps?: number | undefined;
  /** Leases that one `step` may expire (500). */
  readonly leaseExpiriesPerStep?: number | undefined;
  /** Responses that wait in one watch stream before its watchers fall behind (128). */
  readonly streamQueueResponses?: number | undefined;
  /** Distinct revisions in one response to a watcher that catches up (1000). */
  readonly catchUpRevisions?: number | undefined;
  /** Bytes of events that one watch stream may hold before its watchers read history instead (8 MiB). */
  readonly streamQueueBytes?: number | undefined;
  /** Bytes of events that all watch streams together may hold (64 MiB). */
  readonly watchQueueBytes?: number | undefined;
  /** Bytes of keys and values in one fragment of a revision, for watchers who asked for fragments (2 MiB). */
  readonly fragmentBytes?: number | undefined;
  /** Milliseconds without an event after which a watcher who asked for it is told its progress (600,000). */
  readonly progressNotifyMs?: number | undefined;
  /** Shorter time-to-lives are raised to this (2 s). */
  readonly leaseMinTtlMs?: number | undefined;
  /** Longer time-to-lives are refused (9,000,000,000 s). */
  readonly leaseMaxTtlMs?: number | undefined;
  /** Puts are refused as `NoSpace` once the pages in use hold so many bytes (no limit). */
  readonly quotaBytes?: number | undefined;
}

/** How to open a store. */
export interface StoreOptions {
  /** Limits other than etcd's, which are the defaults; 0 means the default too. */
  readonly limits?: Limits | undefined;
  /**
   * What the clock says, in milliseconds from any beginning; it must not go back. Leases count by
   * it. The default is the system's monotonic clock; `"manual"` means that only
   * {@link Store.step} tells the time, for programs that must repeat exactly.
   */
  readonly clock?: (() => number) | 'manual' | undefined;
  /** Keep only the last so many revisions of history without being told to compact; 0 for all. */
  readonly retainRevisions?: number | undefined;
  /** Keep only what is younger than so many milliseconds of history; 0 for all. */
  readonly retainMs?: number | undefined;
  /** What hash tables and chosen lease ids are seeded with; random if not given. */
  readonly seed?: bigint | undefined;
}

/** @internal */
export function writeOptions(options: StoreOptions): Uint8Array {
  const { limits = {}, retainRevisions, retainMs, seed } = checkObject('options', options);
  checkObject('limits', limits);
  const writer = new Writer();
  writer.int('seed', seed === undefined ? randomSeed() : checkInt('seed', seed));
  for (const name of [
    'requestBytes',
    'txnOps',
    'leaseExpiriesPerStep',
    'streamQueueResponses',
    'catchUpRevisions',
    'streamQueueBytes',
    'watchQueueBytes',
    'fragmentBytes',
    'leaseMinTtlMs',
    'leaseMaxTtlMs',
    'progressNotifyMs',
    'quotaBytes',
  ] as const) {
    writeBound(writer, `limits.${name}`, limits[name]);
  }
  writeBound(writer, 'retainRevisions', retainRevisions);
  writeBound(writer, 'retainMs', retainMs);
  return writer.written;
}

function writeBound(writer: Writer, name: string, value: number | undefined): void {
  writer.count(name, value);
  if (value !== undefined && value < 0) {
    throw invalidOption(`${name} is ${value}: give a positive number, or 0 for the default`);
  }
}

/** @internal */
export function clockOf(options: StoreOptions): (() => number) | undefined {
  const { clock = () => performance.now() } = options;
  if (clock === 'manual') return undefined;
  if (typeof clock === 'function') return clock;
  throw invalidArgument(`clock is ${show(clock)}: give a function or "manual"`);
}

function randomSeed(): bigint {
  const [seed = 0n] = crypto.getRandomValues(new BigInt64Array(1));
  return seed;
}
