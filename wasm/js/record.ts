import { checkObject, type Reader, type Writer } from './wire.js';

/** A key with its value and the revisions that made it. */
export interface KeyValue {
  /** The key, never empty. */
  readonly key: Uint8Array;
  /** The value; empty is a value too. */
  readonly value: Uint8Array;
  /** The revision of the put that created the key (0 in the event of a delete). */
  readonly createRevision: bigint;
  /** The revision of the change that this is the result of. */
  readonly modRevision: bigint;
  /** How many puts the key has seen since it was created (0 in the event of a delete). */
  readonly version: bigint;
  /** The lease that the key is attached to, or 0. */
  readonly lease: bigint;
}

/** One change of one key. */
export interface Event {
  /** What happened. */
  readonly type: 'PUT' | 'DELETE';
  /** The key after the change; after a delete, only `key` and `modRevision` are set. */
  readonly kv: KeyValue;
  /**
   * The key before the transaction, if that was asked for, the key existed and compaction has not
   * taken it.
   */
  readonly prevKv: KeyValue | null;
}

/** A point in history that stays meaningful after a crash. */
export interface ResumeToken {
  /** The epoch in which `revision` was seen. */
  readonly epoch: bigint;
  /** The last revision that was seen; what follows it is still wanted. */
  readonly revision: bigint;
}

/** @internal */
export function readKeyValue(reader: Reader): KeyValue {
  return {
    key: reader.bytes(),
    value: reader.bytes(),
    createRevision: reader.int(),
    modRevision: reader.int(),
    version: reader.int(),
    lease: reader.int(),
  };
}

/** @internal */
export function readKeyValues(reader: Reader): KeyValue[] {
  return reader.list(() => readKeyValue(reader));
}

/** @internal */
export function readOptionalKeyValue(reader: Reader): KeyValue | null {
  return reader.flag() ? readKeyValue(reader) : null;
}

/** @internal */
export function readEvents(reader: Reader): Event[] {
  return reader.list(() => ({
    type: reader.flag() ? 'DELETE' : 'PUT',
    kv: readKeyValue(reader),
    prevKv: readOptionalKeyValue(reader),
  }));
}

/** @internal */
export function writeResumeToken(writer: Writer, token: ResumeToken | undefined): void {
  writer.flag('resume', token !== undefined);
  if (token === undefined) return;
  const { epoch, revision } = checkObject('resume', token);
  writer.int('resume.epoch', epoch).int('resume.revision', revision);
}
