import type { Store } from './store.js';
import type { Reader } from './wire.js';

/** Two revisions between which, without themselves, something is missing. */
export interface Lost {
  /** The last revision before. */
  readonly after: bigint;
  /** The first revision behind. */
  readonly before: bigint;
}

/** What repair saved of a damaged image, and what it could not. */
export interface RepairReport {
  /** Whether nothing is missing that is known to have been there. */
  readonly isWhole: boolean;
  /** The revision that the new store is at. */
  readonly revision: bigint;
  /** The new store has no history before this; -1 if it has all. */
  readonly compactRevision: bigint;
  /** Changes of keys that were saved. */
  readonly savedChanges: number;
  /** Pages of the damaged image. */
  readonly pages: number;
  /** Those of them that held a valid page of the log. */
  readonly validPages: number;
  /** The pages that held something else: damage, or a write that was cut short. */
  readonly damagedPages: number[];
  /** Where changes are missing. Keys that were last changed there are missing too. */
  readonly lostBetween: Lost[];
  /** Whether changes after `revision` are missing. How many is not known. */
  readonly lostTheNewest: boolean;
  /** Keys that may have been changed or deleted in what was lost: they are as last known. */
  readonly uncertainKeys: Uint8Array[];
  /** Keys of which a change was lost that is known to have been: they are as after it. */
  readonly affectedKeys: Uint8Array[];
  /** Leases that may have been revoked or renewed in what was lost. */
  readonly uncertainLeases: bigint[];
}

/** A new store with what could be saved of a damaged one. */
export interface Repaired {
  readonly store: Store;
  readonly report: RepairReport;
}

/** @internal */
export function readRepairReport(reader: Reader): RepairReport {
  return {
    isWhole: reader.flag(),
    revision: reader.int(),
    compactRevision: reader.int(),
    savedChanges: reader.count(),
    pages: reader.count(),
    validPages: reader.count(),
    damagedPages: reader.list(() => reader.count()),
    lostBetween: reader.list(() => ({ after: reader.int(), before: reader.int() })),
    lostTheNewest: reader.flag(),
    uncertainKeys: reader.list(() => reader.bytes()),
    affectedKeys: reader.list(() => reader.bytes()),
    uncertainLeases: reader.list(() => reader.int()),
  };
}
