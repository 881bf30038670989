import { dispose } from './dispose.js';
import type { Engine } from './engine.js';
import { closed } from './error.js';
import { checkObject, clamp } from './wire.js';

/** How much one response may hold; at least one whole revision is given even above both limits. */
export interface PollOptions {
  /** Events, or keys of a state; 1000 if not given. */
  readonly maxEvents?: number | undefined;
  /** Bytes of keys and values; a mebibyte if not given. */
  readonly maxBytes?: number | undefined;
}

/** How much is taken at once where nothing else was said. */
const MAX_EVENTS = 1000;
const MAX_BYTES = 1024 * 1024;

/** Responses that an iterator gives without a pause for whatever else the program has to do. */
const RESPONSES_PER_TURN = 256;

/**
 * Something that gives responses: by asking ({@link poll}), or as an async iterator, which waits
 * while there are none. Leaving a `for await` loop frees it.
 */
export abstract class Source<T> implements AsyncIterableIterator<T> {
  /** @internal */
  protected readonly engine: Engine;
  readonly #what: string;
  #freed = false;
  #ended = false;
  #inThisTurn = 0;
  /** What an iterator has taken from the store and not given yet, the last of it first. */
  #taken: T[] = [];
  #queue: Promise<unknown> = Promise.resolve();

  /** @internal */
  protected constructor(engine: Engine, what: string) {
    this.engine = engine;
    this.#what = what;
  }

  /** @internal Asks the raw store for the next response. */
  protected abstract receive(maxEvents: number, maxBytes: number): T | null;

  /** @internal Asks for several, of so many events and bytes together; none if there are none. */
  protected receiveMany(maxEvents: number, maxBytes: number): T[] {
    const response = this.receive(maxEvents, maxBytes);
    return response === null ? [] : [response];
  }

  /** @internal Lets go of it in the raw store. */
  protected abstract release(): void;

  /** @internal Whether nothing can come after this response. */
  protected abstract isLast(response: T): boolean;

  /**
   * The next response, or `null` if there is none now. An iterator takes many from the store at once;
   * what it has taken comes first, whatever the limits.
   */
  poll(options: PollOptions = {}): T | null {
    this.checkOpen();
    const { maxEvents = MAX_EVENTS, maxBytes = MAX_BYTES } = checkObject('options', options);
    const limits = [clamp('maxEvents', maxEvents), clamp('maxBytes', maxBytes)] as const;
    return this.#give(this.#taken.pop() ?? this.receive(...limits));
  }

  /** The same for an iterator. */
  #take(): T | null {
    this.checkOpen();
    if (this.#taken.length === 0) this.#taken = this.receiveMany(MAX_EVENTS, MAX_BYTES).reverse();
    return this.#give(this.#taken.pop() ?? null);
  }

  #give(response: T | null): T | null {
    this.#ended ||= response !== null && this.isLast(response);
    return response;
  }

  /** The next response, as soon as there is one; `done` after the last, or once it is freed. */
  next(): Promise<IteratorResult<T, undefined>> {
    // One after the other, so that several calls at once are answered in their order.
    const next = this.#queue.then(() => this.#next());
    this.#queue = next.catch(() => undefined);
    return next;
  }

  async #next(): Promise<IteratorResult<T, undefined>> {
    if (this.#inThisTurn >= RESPONSES_PER_TURN) {
      await nextTurn();
      this.#inThisTurn = 0;
    }
    while (!this.#freed && !this.#ended) {
      let value = this.#take();
      if (value === null) {
        this.engine.step();
        value = this.#take();
      }
      if (value !== null) {
        this.#inThisTurn += 1;
        return { value, done: false };
      }
      await this.engine.changed();
      this.#inThisTurn = 0;
    }
    return { value: undefined, done: true };
  }

  /** Frees it, as leaving a `for await` loop does. */
  async return(): Promise<IteratorResult<T, undefined>> {
    this.free();
    return { value: undefined, done: true };
  }

  /** Frees it: nothing more comes, and who waits for it is told so. Harmless the second time. */
  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#taken = [];
    this.release();
  }

  /** @internal */
  protected checkOpen(): void {
    if (this.#freed) throw closed(this.#what);
    this.engine.checkOpen();
  }

  [dispose](): void {
    this.free();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

declare const setImmediate: ((then: () => void) => unknown) | undefined;

/** Lets timers, input and painting have their turn. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') {
      setImmediate(resolve);
      return;
    }
    // Not a timer: browsers make repeated ones wait for 4 ms each.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
