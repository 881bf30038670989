import { invalidOption } from './error.js';
import { type KeyValue, readKeyValues, readOptionalKeyValue } from './record.js';
import { checkFlag, checkObject, type Reader, type Writer } from './wire.js';

/** Which keys, beginning with the key that goes with these options. At most one is given. */
export interface KeyRangeOptions {
  /**
   * The first key after the range, as in etcd: an empty one means the key alone, a single zero byte
   * means all keys from the key on.
   */
  readonly rangeEnd?: Uint8Array | undefined;
  /** All keys that begin with the key; all keys if it is empty. */
  readonly prefix?: boolean | undefined;
  /** The key and all keys after it. */
  readonly fromKey?: boolean | undefined;
}

/** A range of keys. */
export interface KeyRange extends KeyRangeOptions {
  /** The key, or where the range begins. */
  readonly key: Uint8Array;
}

/** How to put. */
export interface PutOptions {
  /** The lease to attach the key to; 0 detaches it from any. */
  readonly lease?: bigint | undefined;
  /** Answer with what the key was before. */
  readonly prevKv?: boolean | undefined;
  /** Keep the value that the key has: the key must exist and the value given be empty. */
  readonly ignoreValue?: boolean | undefined;
  /** Keep the lease that the key has: the key must exist and no lease be given. */
  readonly ignoreLease?: boolean | undefined;
}

/** The answer to a put. */
export interface PutResponse {
  /** The revision that the put made. */
  readonly revision: bigint;
  /** What the key was before, if that was asked for and it existed. */
  readonly prevKv: KeyValue | null;
}

/** How to read. The revision bounds filter, then comes the sort, then the limit. */
export interface RangeOptions extends KeyRangeOptions {
  /** As of which revision; 0 or negative for the current one. */
  readonly revision?: bigint | undefined;
  /** At most so many; 0 or negative for all. */
  readonly limit?: number | undefined;
  /** In which direction to sort. */
  readonly sortOrder?: 'none' | 'ascend' | 'descend' | undefined;
  /** What to sort by. Equals stay in key order. */
  readonly sortTarget?: 'key' | 'version' | 'create' | 'mod' | 'value' | undefined;
  /** Leave the values out. */
  readonly keysOnly?: boolean | undefined;
  /** Only count. */
  readonly countOnly?: boolean | undefined;
  /** Leave out keys changed before this revision. */
  readonly minModRevision?: bigint | undefined;
  /** Leave out keys changed after this revision. */
  readonly maxModRevision?: bigint | undefined;
  /** Leave out keys created before this revision. */
  readonly minCreateRevision?: bigint | undefined;
  /** Leave out keys created after this revision. */
  readonly maxCreateRevision?: bigint | undefined;
}

/** The answer to a range. */
export interface RangeResponse {
  /** The store's current revision, also when an older one was read. */
  readonly revision: bigint;
  /** The keys, in the order asked for. */
  readonly kvs: KeyValue[];
  /** Whether the limit left some out. */
  readonly more: boolean;
  /** How many keys are in the range at that revision, whatever the limit and revision bounds. */
  readonly count: number;
}

/** How to delete. */
export interface DeleteRangeOptions extends KeyRangeOptions {
  /** Answer with what was deleted. */
  readonly prevKv?: boolean | undefined;
}

/** The answer to a delete. */
export interface DeleteRangeResponse {
  /** The store's revision after the delete; one higher than before if it deleted something. */
  readonly revision: bigint;
  /** How many keys were deleted. */
  readonly deleted: number;
  /** What was deleted, in key order, if that was asked for. */
  readonly prevKvs: KeyValue[];
}

const noBytes = new Uint8Array(0);
const sortOrders = ['none', 'ascend', 'descend'] as const;
const sortTargets = ['key', 'version', 'create', 'mod', 'value'] as const;

/** @internal */
export function writeKeyRange(writer: Writer, key: Uint8Array, options: KeyRangeOptions): void {
  const { rangeEnd, prefix, fromKey } = checkObject('options', options);
  const isPrefix = checkFlag('prefix', prefix);
  const isFromKey = checkFlag('fromKey', fromKey);
  if (Number(rangeEnd !== undefined) + Number(isPrefix) + Number(isFromKey) > 1) {
    throw invalidOption('more than one of rangeEnd, prefix and fromKey is given: give one of them');
  }
  if (isPrefix) writer.tag(1).bytes('key', key);
  else if (isFromKey) writer.tag(2).bytes('key', key);
  else writer.tag(0).bytes('key', key).bytes('rangeEnd', rangeEnd ?? noBytes);
}

/** @internal */
export function writePut(writer: Writer, key: Uint8Array, value: Uint8Array, options: PutOptions): void {
  const { lease, prevKv, ignoreValue, ignoreLease } = checkObject('options', options);
  writer.bytes('key', key).bytes('value', value).int('lease', lease);
  writer.flag('prevKv', prevKv).flag('ignoreValue', ignoreValue).flag('ignoreLease', ignoreLease);
}

/** @internal */
export function readPut(reader: Reader): PutResponse {
  return { revision: reader.int(), prevKv: readOptionalKeyValue(reader) };
}

/** @internal */
export function writeRange(writer: Writer, key: Uint8Array, options: RangeOptions): void {
  writeKeyRange(writer, key, options);
  writer.int('revision', options.revision).count('limit', options.limit);
  writer.choice('sortOrder', sortOrders, options.sortOrder);
  writer.choice('sortTarget', sortTargets, options.sortTarget);
  writer.flag('keysOnly', options.keysOnly).flag('countOnly', options.countOnly);
  writer.int('minModRevision', options.minModRevision);
  writer.int('maxModRevision', options.maxModRevision);
  writer.int('minCreateRevision', options.minCreateRevision);
  writer.int('maxCreateRevision', options.maxCreateRevision);
}

/** @internal */
export function readRange(reader: Reader): RangeResponse {
  const revision = reader.int();
  const count = reader.count();
  const more = reader.flag();
  return { revision, kvs: readKeyValues(reader), more, count };
}

/** @internal */
export function writeDeleteRange(writer: Writer, key: Uint8Array, options: DeleteRangeOptions): void {
  writeKeyRange(writer, key, options);
  writer.flag('prevKv', options.prevKv);
}

/** @internal */
export function readDeleteRange(reader: Reader): DeleteRangeResponse {
  return { revision: reader.int(), deleted: reader.count(), prevKvs: readKeyValues(reader) };
}
