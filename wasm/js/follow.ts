import type { Engine } from './engine.js';
import {
  type Event,
  type KeyValue,
  readEvents,
  readKeyValues,
  type ResumeToken,
  writeResumeToken,
} from './record.js';
import { type KeyRangeOptions, writeKeyRange } from './request.js';
import { Source } from './source.js';
import { type Reader, Writer } from './wire.js';

/** What to follow, and whether from the beginning. */
export interface FollowOptions extends KeyRangeOptions {
  /** Go on after this point and leave the state out. */
  readonly resume?: ResumeToken | undefined;
}

/** What a follower gives. */
export type FollowResponse =
  | {
      /** A part of the state, in key order, as it was at the revision that `synced` will name. */
      readonly type: 'state';
      readonly kvs: KeyValue[];
    }
  | {
      /** The state is complete; what happened after `revision` comes as events. */
      readonly type: 'synced';
      readonly revision: bigint;
    }
  | {
      /** Changes, in their order. */
      readonly type: 'events';
      readonly revision: bigint;
      readonly events: Event[];
    }
  | {
      /** Compaction overtook the follower: forget all and take the state that comes now. */
      readonly type: 'reset';
      readonly revision: bigint;
    };

/** The state of a range of keys, then every change after it, without a gap between them. */
export class Follow extends Source<FollowResponse> {
  readonly #follow: number;

  /** @internal */
  constructor(engine: Engine, key: Uint8Array, options: FollowOptions) {
    super(engine, 'follower');
    const writer = new Writer();
    writeKeyRange(writer, key, options);
    writeResumeToken(writer, options.resume);
    this.#follow = engine.ask((raw) => raw.openFollow(writer.written)).length();
  }

  protected override receive(maxEvents: number, maxBytes: number): FollowResponse | null {
    return readResponse(this.engine.ask((raw) => raw.pollFollow(this.#follow, maxEvents, maxBytes)));
  }

  protected override release(): void {
    this.engine.release((raw) => raw.closeFollow(this.#follow));
  }

  protected override isLast(_response: FollowResponse): boolean {
    return false;
  }
}

function readResponse(reader: Reader): FollowResponse | null {
  switch (reader.tag()) {
    case 0:
      return null;
    case 1:
      return { type: 'state', kvs: readKeyValues(reader) };
    case 2:
      return { type: 'synced', revision: reader.int() };
    case 3:
      return { type: 'events', revision: reader.int(), events: readEvents(reader) };
    default:
      return { type: 'reset', revision: reader.int() };
  }
}
