import type { Engine } from './engine.js';
import { invalidOption } from './error.js';
import { type Event, readEvents, type ResumeToken } from './record.js';
import { type KeyRange, type KeyRangeOptions, writeKeyRange } from './request.js';
import type { RawStore } from './revwatch_wasm.js';
import { Source } from './source.js';
import { checkInt, checkObject, type Reader, Writer } from './wire.js';

/** What to watch, and from when on. */
export interface WatchOptions extends KeyRangeOptions {
  /** The first revision of interest; if not given, whatever comes next. */
  readonly startRevision?: bigint | undefined;
  /** Go on after this point, as a store answered it; instead of `startRevision`. */
  readonly resume?: ResumeToken | undefined;
  /** The watcher's id; if not given, the stream chooses one. */
  readonly watchId?: bigint | undefined;
  /** Have every event carry what the key was before. */
  readonly prevKv?: boolean | undefined;
  /** Leave puts out. */
  readonly noPut?: boolean | undefined;
  /** Leave deletes out. */
  readonly noDelete?: boolean | undefined;
  /** More ranges for the same watcher: a change of a key in several of them comes once. */
  readonly ranges?: readonly KeyRange[] | undefined;
  /** Leave values out, also those that keys had before. */
  readonly keysOnly?: boolean | undefined;
  /**
   * Let a revision that is too large for a poll, or for the limit `fragmentBytes`, come in several
   * responses, all but the last of which are marked.
   */
  readonly fragment?: boolean | undefined;
  /** Tell `progress` when nothing else was told for as long as the limit `progressNotifyMs` says. */
  readonly progressNotify?: boolean | undefined;
  /**
   * When behind, only the newest state of each key. Revisions are then skipped, and those that come may
   * lack keys that have changed again since; the last event of each key always comes.
   */
  readonly conflate?: boolean | undefined;
}

/** What there is to know about one watcher. */
export interface WatcherReport {
  /** The `streamId` of its stream; `null` for that of a follower or cursor. */
  readonly streamId: number | null;
  /** Its id there. */
  readonly watchId: bigint;
  /**
   * It waits for the next change; is behind and reads history when it is polled; or is a victim: it
   * holds what found no room in its stream's queue, and goes on when that is polled.
   */
  readonly state: 'synced' | 'unsynced' | 'victim';
  /** What it watches, in order, with a `rangeEnd` each. */
  readonly ranges: KeyRange[];
  /** The first revision that it has been given nothing of yet. */
  readonly nextRevision: bigint;
  /** Responses with events that wait to be polled. */
  readonly queuedResponses: number;
  /** Bytes of keys and values in those, and in what a victim holds. */
  readonly queuedBytes: number;
  /** Revisions that it has not been given yet. */
  readonly lag: bigint;
}

/**
 * What a watch stream gives. A revision is never split between two responses, unless fragments were asked
 * for.
 */
export type WatchResponse =
  | {
      /** The watcher is there; what happens after `revision` will come. */
      readonly type: 'created';
      readonly watchId: bigint;
      readonly revision: bigint;
    }
  | {
      /** Changes, in their order. */
      readonly type: 'events';
      readonly watchId: bigint;
      readonly revision: bigint;
      readonly events: Event[];
      /** The watcher's next response goes on with the revision of the last event here. */
      readonly fragment: boolean;
    }
  | {
      /**
       * Everything up to `revision` was told: to the watcher that asked for `progressNotify`, or, with
       * the id -1, to all of the stream, after `requestProgress`.
       */
      readonly type: 'progress';
      readonly watchId: bigint;
      readonly revision: bigint;
    }
  | {
      /** The watcher ended because it was cancelled. */
      readonly type: 'canceled';
      readonly watchId: bigint;
    }
  | {
      /**
       * The watcher ended because what it had not seen yet was compacted away: read the state, and
       * watch from its revision on.
       */
      readonly type: 'compacted';
      readonly watchId: bigint;
      readonly compactRevision: bigint;
    }
  | {
      /** The watcher ended because what it goes on from was lost in a crash after `revision`. */
      readonly type: 'rewound';
      readonly watchId: bigint;
      readonly revision: bigint;
    };

/** What all that gives watch responses has: a stream in the raw store. */
export abstract class WatchSource extends Source<WatchResponse> {
  readonly #stream: number;

  /** @internal */
  constructor(engine: Engine, what: string) {
    super(engine, what);
    this.#stream = engine.call((raw) => raw.openStream());
  }

  /** @internal */
  protected addWatcher(key: Uint8Array, options: WatchOptions): bigint {
    const writer = new Writer();
    writeWatch(writer, key, options);
    const add = (raw: RawStore) => raw.watch(this.#stream, writer.written);
    // Progress is due at some time, which may be sooner than all else.
    return (options.progressNotify ? this.engine.changeTimed(add) : this.engine.change(add)).int();
  }

  /** Tells its watchers in {@link Store.watchers} from others. */
  get streamId(): number {
    return this.#stream;
  }

  /**
   * Asks to be told how far the stream is: once all that waits now was given, a `progress` with the id
   * -1 comes. False, and nothing comes, while one of its watchers is behind or waits for a start in the
   * future.
   */
  requestProgress(): boolean {
    this.checkOpen();
    return this.engine.change((raw) => raw.requestProgress(this.#stream)).flag();
  }

  /** @internal */
  protected cancelWatcher(watchId: bigint): void {
    this.checkOpen();
    this.engine.change((raw) => raw.cancelWatch(this.#stream, watchId));
  }

  protected override receive(maxEvents: number, maxBytes: number): WatchResponse | null {
    return readResponse(this.engine.ask((raw) => raw.poll(this.#stream, maxEvents, maxBytes)));
  }

  protected override receiveMany(maxEvents: number, maxBytes: number): WatchResponse[] {
    const answer = this.engine.ask((raw) => raw.pollMany(this.#stream, maxEvents, maxBytes));
    return answer.list(() => readResponse(answer)).filter((response) => response !== null);
  }

  protected override release(): void {
    this.engine.release((raw) => raw.closeStream(this.#stream));
  }
}

/** Many watchers, whose responses wait in one bounded queue. Its iterator ends when it is freed. */
export class WatchStream extends WatchSource {
  /** @internal */
  constructor(engine: Engine) {
    super(engine, 'watch stream');
  }

  /** Adds a watcher of `key`, or of the range that it begins, and answers with its id. */
  watch(key: Uint8Array, options: WatchOptions = {}): bigint {
    this.checkOpen();
    return this.addWatcher(key, options);
  }

  /** Ends a watcher; its last response says so. An id that is not there is ignored, as in etcd. */
  cancel(watchId: bigint): void {
    this.cancelWatcher(checkInt('watchId', watchId));
  }

  protected override isLast(): boolean {
    return false;
  }
}

/** One watcher, alone on its stream. Its iterator ends after the response that ends the watcher. */
export class Watch extends WatchSource {
  /** The watcher's id, as it stands in its responses. */
  readonly watchId: bigint;

  /** @internal */
  constructor(engine: Engine, key: Uint8Array, options: WatchOptions) {
    super(engine, 'watch');
    try {
      this.watchId = this.addWatcher(key, options);
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /** Ends the watcher; what waits for it still comes, and last a response that says so. */
  cancel(): void {
    this.cancelWatcher(this.watchId);
  }

  protected override isLast(response: WatchResponse): boolean {
    return !['created', 'events', 'progress'].includes(response.type);
  }
}

function writeWatch(writer: Writer, key: Uint8Array, options: WatchOptions): void {
  writeKeyRange(writer, key, options);
  writer.list('ranges', options.ranges, (range) => {
    const { key: first } = checkObject('ranges', range);
    writeKeyRange(writer, first, range);
  });
  const { resume } = options;
  if (resume === undefined) {
    writer.int('startRevision', options.startRevision).int('epoch', undefined);
  } else {
    if (options.startRevision !== undefined) {
      throw invalidOption('both resume and startRevision are given: give one of them');
    }
    const { epoch, revision } = checkObject('resume', resume);
    writer.int('resume.revision', checkInt('resume.revision', revision) + 1n);
    writer.int('resume.epoch', checkInt('resume.epoch', epoch));
  }
  writer.int('watchId', options.watchId).flag('prevKv', options.prevKv);
  writer.flag('noPut', options.noPut).flag('noDelete', options.noDelete);
  writer.flag('keysOnly', options.keysOnly).flag('fragment', options.fragment);
  writer.flag('progressNotify', options.progressNotify).flag('conflate', options.conflate);
}

function readResponse(reader: Reader): WatchResponse | null {
  const tag = reader.tag();
  if (tag === 0) return null;
  const watchId = reader.int();
  switch (tag) {
    case 1:
      return { type: 'created', watchId, revision: reader.int() };
    case 2:
      return {
        type: 'events',
        watchId,
        revision: reader.int(),
        events: readEvents(reader),
        fragment: reader.flag(),
      };
    case 3:
      return { type: 'canceled', watchId };
    case 4:
      return { type: 'compacted', watchId, compactRevision: reader.int() };
    case 5:
      return { type: 'rewound', watchId, revision: reader.int() };
    default:
      return { type: 'progress', watchId, revision: reader.int() };
  }
}

const states = ['synced', 'unsynced', 'victim'] as const;

/** @internal */
export function readWatchers(reader: Reader): WatcherReport[] {
  return reader.list(() => ({
    streamId: reader.length() || null,
    watchId: reader.int(),
    state: states[reader.tag()] ?? 'synced',
    ranges: reader.list(() => ({ key: reader.bytes(), rangeEnd: reader.bytes() })),
    nextRevision: reader.int(),
    queuedResponses: reader.count(),
    queuedBytes: reader.count(),
    lag: reader.int(),
  }));
}
