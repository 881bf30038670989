/**
 * etcd's data model as a library: a store of keys with all their revisions, transactions, leases
 * and reliable watch, compiled to WebAssembly.
 *
 * `await init()` first, then begin at {@link Store}.
 *
 * @module
 */

export { Changes, type ChangesOptions } from './changes.js';
export { Snapshot, type SnapshotOptions } from './snapshot.js';
export { Cursor, type CursorOptions, type CursorReport, type CursorResponse } from './cursor.js';
export { errorCodes, type ErrorName } from './error-codes.js';
export { RevwatchError } from './error.js';
export type { StepResponse } from './engine.js';
export { Follow, type FollowOptions, type FollowResponse } from './follow.js';
export type {
  LeaseGrantOptions,
  LeaseGrantResponse,
  LeaseKeepAliveResponse,
  LeaseRevokeResponse,
  LeaseTimeToLiveOptions,
  LeaseTimeToLiveResponse,
} from './lease.js';
export { init, type ModuleSource } from './module.js';
export type { Limits, StoreOptions } from './options.js';
export { type NextKvsOptions, RangeStream, type RangeStreamOptions } from './range-stream.js';
export type { Event, KeyValue, ResumeToken } from './record.js';
export type {
  DeleteRangeOptions,
  DeleteRangeResponse,
  KeyRange,
  KeyRangeOptions,
  PutOptions,
  PutResponse,
  RangeOptions,
  RangeResponse,
} from './request.js';
export type { Lost, Repaired, RepairReport } from './repair.js';
export type { PollOptions } from './source.js';
export type { Status } from './status.js';
export {
  type ApplyChangesResponse,
  type CompactResponse,
  type GetOptions,
  type HashKvResponse,
  type HistoryOptions,
  type HistoryResponse,
  Store,
} from './store.js';
export type { Compare, Op, OpResponse, TxnRequest, TxnResponse } from './txn.js';
export { utf8 } from './utf8.js';
export { Watch, type WatcherReport, type WatchOptions, type WatchResponse, WatchStream } from './watch.js';
