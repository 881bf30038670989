import { invalidArgument } from './error.js';
import {
  type DeleteRangeOptions,
  type DeleteRangeResponse,
  type KeyRangeOptions,
  type PutOptions,
  type PutResponse,
  type RangeOptions,
  type RangeResponse,
  readDeleteRange,
  readPut,
  readRange,
  writeDeleteRange,
  writeKeyRange,
  writePut,
  writeRange,
} from './request.js';
import { checkObject, type Reader, type Writer } from './wire.js';

/** If all comparisons hold, then do `success`, else do `failure`: atomically, at one revision. */
export interface TxnRequest {
  /** All must hold for `success`; none given: they do. */
  readonly compare?: readonly Compare[] | undefined;
  /** Done in order if the comparisons hold; later operations see what earlier ones did. */
  readonly success?: readonly Op[] | undefined;
  /** Done in order if they do not. */
  readonly failure?: readonly Op[] | undefined;
}

/**
 * A condition on a key, or on every key of a range, as it was before the transaction.
 *
 * A missing key, or an empty range, has version, revisions and lease 0, and no value: a comparison
 * of its value is false whatever the operator.
 */
export type Compare = KeyRangeOptions & {
  /** The key, or the first of the range. */
  readonly key: Uint8Array;
  /** How the key's attribute relates to the operand. */
  readonly op: '=' | '!=' | '<' | '>';
} & (
    | {
        /** Which attribute. */
        readonly target: 'value';
        /** What it is compared with, bytewise. */
        readonly operand: Uint8Array;
      }
    | {
        /** Which attribute. */
        readonly target: 'version' | 'create' | 'mod' | 'lease';
        /** What it is compared with. */
        readonly operand: bigint;
      }
  );

/** One step of a transaction's branch: an operation as on the store, with its name as `type`. */
export type Op =
  | ({ readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array } & PutOptions)
  | ({ readonly type: 'range'; readonly key: Uint8Array } & RangeOptions)
  | ({ readonly type: 'deleteRange'; readonly key: Uint8Array } & DeleteRangeOptions)
  | ({ readonly type: 'txn' } & TxnRequest);

/** The answer to a transaction. */
export interface TxnResponse {
  /** The store's revision after the transaction; 0 in the answer to a nested one, as in etcd. */
  readonly revision: bigint;
  /** Whether all comparisons held. */
  readonly succeeded: boolean;
  /** An answer for each operation of the branch that was taken. */
  readonly responses: OpResponse[];
}

/** The answer to one operation of a transaction. */
export type OpResponse =
  | ({ readonly type: 'put' } & PutResponse)
  | ({ readonly type: 'range' } & RangeResponse)
  | ({ readonly type: 'deleteRange' } & DeleteRangeResponse)
  | ({ readonly type: 'txn' } & TxnResponse);

const compareOps = ['=', '!=', '<', '>'] as const;
const compareTargets = ['value', 'version', 'create', 'mod', 'lease'] as const;
const opTypes = ['put', 'range', 'deleteRange', 'txn'] as const;

/** Deeper nesting is refused, so that neither language runs out of stack (or into a cycle). */
const MAX_DEPTH = 128;

/** @internal */
export function writeTxn(writer: Writer, request: TxnRequest, depth = 1): void {
  if (depth > MAX_DEPTH) throw invalidArgument(`transactions are nested more than ${MAX_DEPTH} deep`);
  const { compare, success, failure } = checkObject('the transaction', request);
  writer.list('compare', compare, (each) => writeCompare(writer, each));
  writer.list('success', success, (each) => writeOp(writer, each, depth));
  writer.list('failure', failure, (each) => writeOp(writer, each, depth));
}

function writeCompare(writer: Writer, compare: Compare): void {
  const { key, op, target } = checkObject('a comparison', compare);
  if (op === undefined || target === undefined) {
    throw invalidArgument('a comparison lacks its op or its target');
  }
  writeKeyRange(writer, key, compare);
  writer.choice('op', compareOps, op).choice('target', compareTargets, target);
  if (compare.target === 'value') writer.bytes('operand', compare.operand);
  else writer.int('operand', compare.operand);
}

function writeOp(writer: Writer, op: Op, depth: number): void {
  const { type } = checkObject('an operation', op);
  if (type === undefined) throw invalidArgument('an operation lacks its type');
  writer.choice('type', opTypes, type);
  switch (op.type) {
    case 'put':
      return writePut(writer, op.key, op.value, op);
    case 'range':
      return writeRange(writer, op.key, op);
    case 'deleteRange':
      return writeDeleteRange(writer, op.key, op);
    case 'txn':
      return writeTxn(writer, op, depth + 1);
  }
}

/** @internal */
export function readTxn(reader: Reader): TxnResponse {
  const revision = reader.int();
  const succeeded = reader.flag();
  return { revision, succeeded, responses: reader.list(() => readOpResponse(reader)) };
}

function readOpResponse(reader: Reader): OpResponse {
  switch (opTypes[reader.tag()]) {
    case 'put':
      return { type: 'put', ...readPut(reader) };
    case 'range':
      return { type: 'range', ...readRange(reader) };
    case 'deleteRange':
      return { type: 'deleteRange', ...readDeleteRange(reader) };
    default:
      return { type: 'txn', ...readTxn(reader) };
  }
}
