import type { Engine } from './engine.js';
import { type Event, readEvents } from './record.js';
import { checkCount, checkInt } from './wire.js';

/** How much of a walk one call takes. */
const PART_EVENTS = 10_000;
const PART_BYTES = 4 * 1024 * 1024;

/** What to leave out of changes. */
export interface ChangesOptions {
  /** The last revision; the newest there is if not given. */
  readonly to?: bigint | undefined;
}

/**
 * A walk over every change after one revision up to another: its events, or with {@link chunks} the
 * same as bytes for {@link Store.applyChanges}. It goes on where it was left, and throws `Compacted`
 * once compaction has overtaken it.
 */
export class Changes implements Iterable<Event> {
  readonly #engine: Engine;
  readonly #to: bigint;
  #at: bigint;

  /** @internal */
  constructor(engine: Engine, from: bigint, to: bigint) {
    const [first, last] = [checkInt('from', from), checkInt('to', to)];
    this.#engine = engine;
    this.#at = first;
    this.#to = engine.ask((raw) => raw.changes(first, last)).int();
  }

  /** Everything up to and including this revision was taken from the store. */
  get revision(): bigint {
    return this.#at;
  }

  /** The events, in their order. */
  *[Symbol.iterator](): Generator<Event, void, undefined> {
    for (;;) {
      const part = this.#engine.ask((raw) => raw.nextChanges(this.#at, this.#to, PART_EVENTS, PART_BYTES));
      this.#at = part.int();
      const events = readEvents(part);
      if (events.length === 0) return;
      yield* events;
    }
  }

  /** The changes as bytes, about `maxBytes` at a time (4 MiB if not given), whole revisions. */
  *chunks(maxBytes: number = PART_BYTES): Generator<Uint8Array, void, undefined> {
    const atMost = Math.min(Math.max(checkCount('maxBytes', maxBytes), 0), 2 ** 31);
    for (;;) {
      const part = this.#engine.ask((raw) => raw.nextChangesChunk(this.#at, this.#to, atMost));
      this.#at = part.int();
      const chunk = part.bytes();
      if (chunk.length === 0) return;
      yield chunk;
    }
  }
}
