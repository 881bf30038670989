import { dispose } from './dispose.js';
import type { Engine } from './engine.js';
import { checkBytes, checkCount, checkInt } from './wire.js';

/** How large the parts of a snapshot are at most, in bytes. */
const PART_BYTES = 1024 * 1024;

/** What a snapshot is of. */
export interface SnapshotOptions {
  /** The revision that a copy is at: only what happened after it; the whole store if not given. */
  readonly since?: bigint | undefined;
  /** The most bytes of one part, 512 at least; a mebibyte if not given. */
  readonly maxBytes?: number | undefined;
}

/**
 * A snapshot that is being taken: its bytes in parts, for {@link Store.restore} or
 * {@link Store.applySnapshot}. Until it is freed or read to its end, the store keeps what it has yet
 * to read, within a bound; beyond it `SnapshotOvertaken` is thrown.
 */
export class Snapshot implements Iterable<Uint8Array> {
  /** The revision that it is of. */
  readonly revision: bigint;
  readonly #engine: Engine;
  readonly #number: number;
  readonly #maxBytes: number;

  /** @internal */
  constructor(engine: Engine, { since = 0n, maxBytes = PART_BYTES }: SnapshotOptions) {
    const from = checkInt('since', since);
    this.#engine = engine;
    this.#maxBytes = Math.min(Math.max(checkCount('maxBytes', maxBytes), 0), 2 ** 31);
    const begun = engine.ask((raw) => raw.snapshot(from));
    this.#number = Number(begun.int());
    this.revision = begun.int();
  }

  /** What is left of it, part by part. Leaving the loop early lets go of it. */
  *[Symbol.iterator](): Generator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const part = this.#engine
          .ask((raw) => raw.nextSnapshotChunk(this.#number, this.#maxBytes))
          .bytes();
        if (part.length === 0) return;
        yield part;
      }
    } finally {
      this.free();
    }
  }

  /** Lets go of it: nothing more comes. Harmless the second time. */
  free(): void {
    this.#engine.release((raw) => raw.freeSnapshot(this.#number));
  }

  [dispose](): void {
    this.free();
  }
}

/** @internal The bytes of parts, one behind the other. */
export function join(parts: Uint8Array | Iterable<Uint8Array>): Uint8Array {
  if (parts instanceof Uint8Array) return parts;
  const all = [...parts];
  let length = 0;
  for (const part of all) {
    checkBytes('parts', part);
    length += part.length;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of all) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
