import type { Engine } from './engine.js';
import { type Event, readEvents, type ResumeToken, writeResumeToken } from './record.js';
import { type KeyRangeOptions, writeKeyRange } from './request.js';
import { Source } from './source.js';
import { checkInt, type Reader, Writer } from './wire.js';

/** What a cursor is to be. */
export interface CursorOptions extends KeyRangeOptions {
  /** Where a cursor that is made begins: its first revision; the next one if not given. */
  readonly startRevision?: bigint | undefined;
  /** Refuse compaction of what the cursor has yet to see. A cursor that is there is changed to this. */
  readonly hold?: boolean | undefined;
  /** Let events carry what the key was before. */
  readonly prevKv?: boolean | undefined;
  /** The last that the consumer has seen by its own account: `rewound` comes first if that was lost. */
  readonly seen?: ResumeToken | undefined;
}

/** What a cursor gives. */
export type CursorResponse =
  | {
      /** Changes, whole revisions at a time, up to and including `revision`. */
      readonly type: 'events';
      readonly revision: bigint;
      readonly events: Event[];
    }
  | {
      /** Compaction took changes that were yet to be seen. Those that are kept follow, from here on. */
      readonly type: 'compacted';
      readonly compactRevision: bigint;
    }
  | {
      /** What the consumer has seen after `revision` was lost. What follows the last `ack` comes next. */
      readonly type: 'rewound';
      readonly revision: bigint;
    };

/** What there is to know about a cursor. */
export interface CursorReport {
  /** Its name. */
  readonly name: Uint8Array;
  /** The first key of its range. */
  readonly key: Uint8Array;
  /** The end of its range, in etcd's convention. */
  readonly rangeEnd: Uint8Array;
  /** Everything up to and including this revision was acknowledged. */
  readonly ackedRevision: bigint;
  /** How many revisions the store has come beyond that. */
  readonly lagRevisions: bigint;
  /** Whether it holds back compaction. */
  readonly hold: boolean;
  /** Whether it is open. */
  readonly open: boolean;
}

/**
 * An opening of a durable cursor: every change of a range from where its consumer has come, at least
 * once. Who opens the cursor anew takes it over; this one then throws `CursorNotFound`. Freeing ends
 * the opening; the cursor stays in the store, and in its image.
 */
export class Cursor extends Source<CursorResponse> {
  readonly #cursor: number;

  /** @internal */
  constructor(engine: Engine, name: Uint8Array, key: Uint8Array, options: CursorOptions) {
    super(engine, 'cursor');
    const writer = new Writer();
    writer.bytes('name', name);
    writeKeyRange(writer, key, options);
    writer.int('startRevision', options.startRevision);
    writer.flag('hold', options.hold).flag('prevKv', options.prevKv);
    writeResumeToken(writer, options.seen);
    this.#cursor = engine.change((raw) => raw.openCursor(writer.written)).length();
  }

  /** Everything up to this revision was given, and can be acknowledged. */
  get revision(): bigint {
    this.checkOpen();
    return this.engine.ask((raw) => raw.cursorRevision(this.#cursor)).int();
  }

  /** Takes note that everything up to `revision` was dealt with; all that was given if left out. */
  ack(revision: bigint = this.revision): void {
    this.checkOpen();
    const checked = checkInt('revision', revision);
    this.engine.change((raw) => raw.ackCursor(this.#cursor, checked));
  }

  /** Goes on with `startRevision`, forward or back; with the next revision if left out. */
  seek(startRevision: bigint = 0n): void {
    this.checkOpen();
    const checked = checkInt('startRevision', startRevision);
    this.engine.change((raw) => raw.seekCursor(this.#cursor, checked));
  }

  protected override receive(maxEvents: number, maxBytes: number): CursorResponse | null {
    return readResponse(this.engine.ask((raw) => raw.pollCursor(this.#cursor, maxEvents, maxBytes)));
  }

  protected override release(): void {
    this.engine.release((raw) => raw.closeCursor(this.#cursor));
  }

  protected override isLast(_response: CursorResponse): boolean {
    return false;
  }
}

/** @internal */
export function readCursors(reader: Reader): CursorReport[] {
  return reader.list(() => ({
    name: reader.bytes(),
    key: reader.bytes(),
    rangeEnd: reader.bytes(),
    ackedRevision: reader.int(),
    lagRevisions: reader.int(),
    hold: reader.flag(),
    open: reader.flag(),
  }));
}

function readResponse(reader: Reader): CursorResponse | null {
  switch (reader.tag()) {
    case 0:
      return null;
    case 1:
      return { type: 'events', revision: reader.int(), events: readEvents(reader) };
    case 2:
      return { type: 'compacted', compactRevision: reader.int() };
    default:
      return { type: 'rewound', revision: reader.int() };
  }
}
