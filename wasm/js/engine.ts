// What a store, its watches and its followers share: the raw store, its clock, and who waits.

import { closed, invalidArgument } from './error.js';
import { enter, hasStopped, open } from './module.js';
import type { RawStore } from './revwatch_wasm.js';
import { checkCount, type Reader } from './wire.js';

/** Background work that one step may do, in bytes. */
const STEP_BUDGET_BYTES = 1024 * 1024;
/** The longest time that timers can be set to, in milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What {@link Store.step} answers. */
export interface StepResponse {
  /** When to step next, on the same clock; `null` if nothing is due. */
  readonly nextMs: number | null;
}

/** @internal */
export class Engine {
  #raw: RawStore | undefined;
  readonly #clock: (() => number) | undefined;
  #nowMs = 0;
  /** When the store next wants to be stepped. At first it is not known, so at once. */
  #nextMs: number | null = -Infinity;
  #waiting: (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Without a clock, time stands still but for `step`. */
  constructor(raw: RawStore, clock: (() => number) | undefined) {
    this.#raw = raw;
    this.#clock = clock;
  }

  /** Refuses what was freed. */
  checkOpen(): void {
    if (this.#raw === undefined) throw closed('store');
  }

  /** Calls the raw store, unless it was freed. `work` does nothing but that call. */
  call<T>(work: (raw: RawStore) => T): T {
    const raw = this.#raw;
    if (raw === undefined) throw closed('store');
    return enter(() => work(raw));
  }

  /** Asks something that changes nothing. */
  ask(work: (raw: RawStore) => Uint8Array): Reader {
    this.#keepTime();
    return open(this.call(work));
  }

  /** Does something after which those who wait look again. */
  change(work: (raw: RawStore) => Uint8Array): Reader {
    try {
      return this.ask(work);
    } finally {
      this.wake();
    }
  }

  /** Does something that the time of day matters to, and that may change what is due when. */
  changeTimed(work: (raw: RawStore) => Uint8Array): Reader {
    this.#nextMs = -Infinity;
    try {
      return this.change(work);
    } finally {
      this.#nextMs = -Infinity;
    }
  }

  /** Sets the clock and does what is due. */
  step(nowMs?: number): StepResponse {
    if (nowMs !== undefined) {
      if (this.#clock !== undefined) {
        throw invalidArgument('the store has a clock: step without a time, or open it with clock: "manual"');
      }
      this.#nowMs = checkCount('nowMs', nowMs);
    }
    this.#step();
    // Progress may be due without a new revision; with a clock, a timer wakes those who wait for it.
    if (nowMs !== undefined) this.wake();
    return { nextMs: this.#nextMs };
  }

  /** Returns when something may have changed or is due, and never in the same turn. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#clock === undefined || this.#nextMs === null || this.#timer !== undefined) return;
      // At least a millisecond: whatever the store says, waiting must never be a busy loop.
      const inMs = Math.max(1, Math.ceil(this.#nextMs - this.#clock()));
      this.#timer = setTimeout(() => this.wake(), Math.min(inMs, LONGEST_TIMER_MS));
    });
  }

  /** Lets all who wait look again. */
  wake(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Lets go of something in the raw store, unless that has gone itself. */
  release(work: (raw: RawStore) => void): void {
    const raw = this.#raw;
    if (raw !== undefined && !hasStopped()) enter(() => work(raw));
    this.wake();
  }

  /** Gives the raw store back. Nothing happens the second time. */
  free(): void {
    this.release((raw) => raw.free());
    this.#raw = undefined;
  }

  /** Steps if that is due: most operations need not pay for it. */
  #keepTime(): void {
    if (this.#clock === undefined || this.#nextMs === null) return;
    if (this.#nextMs === -Infinity || this.#clock() >= this.#nextMs) this.#step();
  }

  #step(): void {
    if (this.#clock !== undefined) this.#nowMs = Math.floor(this.#clock());
    const nowMs = BigInt(this.#nowMs);
    const revision = this.call((raw) => raw.revision());
    const next = open(this.call((raw) => raw.step(nowMs, STEP_BUDGET_BYTES))).count();
    this.#nextMs = next < 0 ? null : next;
    // Only then: those who wait step themselves, and would wake each other without end.
    if (this.call((raw) => raw.revision()) !== revision) this.wake();
  }
}
