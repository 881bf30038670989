import { dispose } from './dispose.js';
import type { Engine } from './engine.js';
import { closed } from './error.js';
import { type KeyValue, readKeyValues } from './record.js';
import { type KeyRangeOptions, writeKeyRange } from './request.js';
import { checkObject, clamp, Writer } from './wire.js';

/** What to walk over. */
export interface RangeStreamOptions extends KeyRangeOptions {
  /** As of which revision; 0 or negative, or not given, for the current one. */
  readonly revision?: bigint | undefined;
}

/** How much one part may hold; at least one key is given even above both limits. */
export interface NextKvsOptions {
  /** Keys; 1000 if not given. */
  readonly maxKeys?: number | undefined;
  /** Bytes of keys and values; a mebibyte if not given. */
  readonly maxBytes?: number | undefined;
}

/**
 * The keys of a range in their order, all as of one revision, whatever is written meanwhile. Part
 * after part is read, so that a range of any size can be walked over; {@link next} throws `Compacted`
 * once compaction has overtaken the revision. Leaving a `for` loop frees it.
 */
export class RangeStream implements IterableIterator<KeyValue> {
  /** The revision that all keys are as of. */
  readonly revision: bigint;
  readonly #engine: Engine;
  readonly #stream: number;
  /** What the loop has fetched and not given yet, the next one last. */
  #fetched: KeyValue[] = [];
  #freed = false;

  /** @internal */
  constructor(engine: Engine, key: Uint8Array, options: RangeStreamOptions) {
    const writer = new Writer();
    writeKeyRange(writer, key, options);
    writer.int('revision', options.revision);
    const answer = engine.ask((raw) => raw.openRangeStream(writer.written));
    this.#engine = engine;
    this.#stream = answer.length();
    this.revision = answer.int();
  }

  /** The next keys; none at the end. What a `for` loop has fetched and not given yet comes first. */
  nextKvs(options: NextKvsOptions = {}): KeyValue[] {
    const { maxKeys = 1000, maxBytes = 1024 * 1024 } = checkObject('options', options);
    const [keys, bytes] = [clamp('maxKeys', maxKeys), clamp('maxBytes', maxBytes)];
    if (this.#fetched.length > 0) return this.#fetched.splice(-Math.max(keys, 1)).reverse();
    return this.#fetch(keys, bytes);
  }

  /** The next key. */
  next(): IteratorResult<KeyValue, undefined> {
    if (this.#freed) return { value: undefined, done: true };
    if (this.#fetched.length === 0) this.#fetched = this.#fetch(1000, 1024 * 1024).reverse();
    const value = this.#fetched.pop();
    if (value !== undefined) return { value, done: false };
    this.free();
    return { value, done: true };
  }

  /** Frees it, as leaving a `for` loop does. */
  return(): IteratorResult<KeyValue, undefined> {
    this.free();
    return { value: undefined, done: true };
  }

  /** Frees it. Harmless the second time. */
  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#fetched = [];
    this.#engine.release((raw) => raw.closeRangeStream(this.#stream));
  }

  [dispose](): void {
    this.free();
  }

  [Symbol.iterator](): this {
    return this;
  }

  #fetch(maxKeys: number, maxBytes: number): KeyValue[] {
    if (this.#freed) throw closed('range stream');
    return readKeyValues(this.#engine.ask((raw) => raw.nextKvs(this.#stream, maxKeys, maxBytes)));
  }
}
