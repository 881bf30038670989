import type { Engine } from './engine.js';
import { checkCount, checkFlag, checkInt, checkObject } from './wire.js';

/** How to grant a lease. */
export interface LeaseGrantOptions {
  /** The lease's id; 0, or not given, for one that the store chooses. */
  readonly id?: bigint | undefined;
}

/** The answer to granting a lease. */
export interface LeaseGrantResponse {
  /** The lease's id. */
  readonly id: bigint;
  /** The time that it was granted, which may be more than was asked for. */
  readonly ttlMs: number;
  /** The store's revision. */
  readonly revision: bigint;
}

/** The answer to revoking a lease. */
export interface LeaseRevokeResponse {
  /** The store's revision; one higher than before if keys were deleted. */
  readonly revision: bigint;
}

/** The answer to keeping a lease alive. */
export interface LeaseKeepAliveResponse {
  /** The id that was asked for. */
  readonly id: bigint;
  /** The time that the lease has from now; 0 if there is no such lease. */
  readonly ttlMs: number;
  /** The store's revision. */
  readonly revision: bigint;
}

/** What to tell about a lease. */
export interface LeaseTimeToLiveOptions {
  /** Answer with the attached keys too. */
  readonly keys?: boolean | undefined;
}

/** What there is to tell about a lease. */
export interface LeaseTimeToLiveResponse {
  /** The id that was asked for. */
  readonly id: bigint;
  /** The time left; -1 if there is no such lease. */
  readonly ttlMs: number;
  /** The time that it was granted; 0 if there is no such lease. */
  readonly grantedTtlMs: number;
  /** The keys attached to it, if they were asked for. */
  readonly keys: Uint8Array[];
  /** The store's revision. */
  readonly revision: bigint;
}

/** @internal The leases of a store. All of this depends on the time. */
export class Leases {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  grant(ttlMs: number, options: LeaseGrantOptions): LeaseGrantResponse {
    const { id = 0n } = checkObject('options', options);
    const [wanted, ttl] = [checkInt('id', id), BigInt(checkCount('ttlMs', ttlMs))];
    const answer = this.#engine.changeTimed((raw) => raw.leaseGrant(wanted, ttl));
    return { id: answer.int(), ttlMs: answer.count(), revision: answer.int() };
  }

  revoke(id: bigint): LeaseRevokeResponse {
    const checked = checkInt('id', id);
    return { revision: this.#engine.changeTimed((raw) => raw.leaseRevoke(checked)).int() };
  }

  keepAlive(id: bigint): LeaseKeepAliveResponse {
    const checked = checkInt('id', id);
    const answer = this.#engine.changeTimed((raw) => raw.leaseKeepAlive(checked));
    return { id: answer.int(), ttlMs: answer.count(), revision: answer.int() };
  }

  timeToLive(id: bigint, options: LeaseTimeToLiveOptions): LeaseTimeToLiveResponse {
    const checked = checkInt('id', id);
    const keys = checkFlag('keys', checkObject('options', options).keys);
    const answer = this.#engine.changeTimed((raw) => raw.leaseTimeToLive(checked, keys));
    return {
      id: answer.int(),
      ttlMs: answer.count(),
      grantedTtlMs: answer.count(),
      revision: answer.int(),
      keys: answer.list(() => answer.bytes()),
    };
  }

  all(): bigint[] {
    const answer = this.#engine.changeTimed((raw) => raw.leases());
    return answer.list(() => answer.int());
  }
}
