import type { Reader } from './wire.js';

/** How a store is. */
export interface Status {
  /** The current revision; 1 in an empty store. */
  readonly revision: bigint;
  /** The revision up to which watchers are told. */
  readonly publishedRevision: bigint;
  /** The revision that was compacted last; -1 before any compaction. */
  readonly compactRevision: bigint;
  /** How often the store was opened without having been closed cleanly, and once more. */
  readonly epoch: bigint;
  /** Keys that there are now. */
  readonly keys: number;
  /** Bytes of the image that hold something. */
  readonly sizeInUse: number;
  /** Bytes of the image. */
  readonly sizeAllocated: number;
  /** Leases that there are now. */
  readonly leases: number;
  /** Open watch streams. */
  readonly watchStreams: number;
  /** Watchers on them. */
  readonly watchers: number;
  /** Those of them that are behind and read history. */
  readonly unsyncedWatchers: number;
  /** Those of them that hold a batch because their stream is full. */
  readonly victimWatchers: number;
  /** Whether something that was compacted waits to be reclaimed. */
  readonly compacting: boolean;
  /** Whether the store is open for reading only. */
  readonly readOnly: boolean;
  /** Whether an earlier write failed, so that nothing more can be written. */
  readonly poisoned: boolean;
}

/** @internal */
export function readStatus(reader: Reader): Status {
  return {
    revision: reader.int(),
    publishedRevision: reader.int(),
    compactRevision: reader.int(),
    epoch: reader.int(),
    keys: reader.count(),
    sizeInUse: reader.count(),
    sizeAllocated: reader.count(),
    leases: reader.count(),
    watchStreams: reader.count(),
    watchers: reader.count(),
    unsyncedWatchers: reader.count(),
    victimWatchers: reader.count(),
    compacting: reader.flag(),
    readOnly: reader.flag(),
    poisoned: reader.flag(),
  };
}
