// Requests and answers as bytes: the other end of src/wire.rs. What comes from the caller is checked
// here, so that a wrong type is refused before anything has happened.

import { invalidArgument } from './error.js';

const LEAST = -(2n ** 63n);
const GREATEST = 2n ** 63n - 1n;

/** Checks that an argument is bytes. */
export function checkBytes(name: string, value: unknown): Uint8Array {
  // By its tag rather than its class: bytes may come from another frame.
  if (ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]') {
    return value as Uint8Array;
  }
  throw invalidArgument(`${name} is ${show(value)}: give a Uint8Array, such as utf8("text")`);
}

/** Checks that an argument is a 64-bit integer. */
export function checkInt(name: string, value: unknown): bigint {
  if (typeof value !== 'bigint') {
    throw invalidArgument(`${name} is ${show(value)}: give a bigint, such as 7n`);
  }
  if (value < LEAST || value > GREATEST) {
    throw invalidArgument(`${name} is ${value}, which does not fit into 64 bits`);
  }
  return value;
}

/** Checks that an argument is a whole number, such as a count or milliseconds. */
export function checkCount(name: string, value: unknown): number {
  if (!Number.isSafeInteger(value)) {
    throw invalidArgument(`${name} is ${show(value)}: give a whole number`);
  }
  return value as number;
}

/** Checks that an argument is a whole number, and brings it into the range of the module's sizes. */
export function clamp(name: string, value: unknown): number {
  return Math.min(Math.max(checkCount(name, value), 0), 2 ** 31);
}

/** Checks that an argument is a flag; false when it was not given. */
export function checkFlag(name: string, value: unknown): boolean {
  if (value !== undefined && typeof value !== 'boolean') {
    throw invalidArgument(`${name} is ${show(value)}: give true or false`);
  }
  return value ?? false;
}

/** Checks that an argument is an object whose fields can be read. */
export function checkObject<T extends object>(name: string, value: T): T {
  if (typeof value !== 'object' || value === null) {
    throw invalidArgument(`${name} is ${show(value)}: give an object`);
  }
  return value;
}

/** What was given, as an error message shows it. */
export function show(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 40))}`;
  if (typeof value === 'object') return `an object (${Object.prototype.toString.call(value)})`;
  return `the ${typeof value} ${String(value).slice(0, 40)}`;
}

/** Puts a request together; `name` is what an argument is called in an error. */
export class Writer {
  #bytes = new Uint8Array(128);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** What was written. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** The tag of a choice. */
  tag(value: number): this {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
    return this;
  }

  /** A flag; false when it was not given. */
  flag(name: string, value: boolean | undefined): this {
    return this.tag(checkFlag(name, value) ? 1 : 0);
  }

  /** A revision or an id; 0 when it was not given. */
  int(name: string, value: bigint | undefined): this {
    const checked = value === undefined ? 0n : checkInt(name, value);
    const at = this.#room(8);
    this.#view.setBigInt64(at, checked, true);
    return this;
  }

  /** A count; 0 when it was not given. */
  count(name: string, value: number | undefined): this {
    return this.int(name, value === undefined ? 0n : BigInt(checkCount(name, value)));
  }

  /** A byte string. */
  bytes(name: string, value: Uint8Array): this {
    const { length } = checkBytes(name, value);
    const at = this.#room(4 + length);
    this.#view.setUint32(at, length, true);
    this.#bytes.set(value, at + 4);
    return this;
  }

  /** A choice between named values; the first of them when it was not given. */
  choice(name: string, choices: readonly string[], value: string | undefined): this {
    const at = value === undefined ? 0 : choices.indexOf(value);
    if (at < 0) {
      const known = choices.map((each) => `"${each}"`).join(', ');
      throw invalidArgument(`${name} is ${show(value)}: give one of ${known}`);
    }
    return this.tag(at);
  }

  /** A list; empty when it was not given. */
  list<T>(name: string, values: readonly T[] | undefined, write: (value: T) => void): this {
    if (values !== undefined && !Array.isArray(values)) {
      throw invalidArgument(`${name} is ${show(values)}: give an array`);
    }
    const copy = values === undefined ? [] : [...values];
    const at = this.#room(4);
    this.#view.setUint32(at, copy.length, true);
    for (const value of copy) write(value);
    return this;
  }

  /** Makes room for so many bytes more, and says where; afterwards `#bytes` and `#view` may be others. */
  #room(more: number): number {
    const at = this.#length;
    this.#length = at + more;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

/** Takes an answer apart. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(answer: Uint8Array) {
    this.#bytes = answer;
    this.#view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
  }

  /** The tag of a choice. */
  tag(): number {
    const value = this.#view.getUint8(this.#at);
    this.#at += 1;
    return value;
  }

  /** A flag. */
  flag(): boolean {
    return this.tag() !== 0;
  }

  /** A length or a handle. */
  length(): number {
    const value = this.#view.getUint32(this.#at, true);
    this.#at += 4;
    return value;
  }

  /** A revision or an id. */
  int(): bigint {
    const value = this.#view.getBigInt64(this.#at, true);
    this.#at += 8;
    return value;
  }

  /** A count: a number that is far from 2^53. */
  count(): number {
    return Number(this.int());
  }

  /** A byte string, copied: it does not keep the rest of the answer alive. */
  bytes(): Uint8Array {
    const length = this.length();
    const value = this.#bytes.slice(this.#at, this.#at + length);
    this.#at += length;
    return value;
  }

  /** A list. */
  list<T>(read: () => T): T[] {
    const length = this.length();
    const values: T[] = [];
    for (let i = 0; i < length; i += 1) values.push(read());
    return values;
  }
}
