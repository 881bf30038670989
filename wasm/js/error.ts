import { errorCodes, type ErrorName } from './error-codes.js';

const names = new Map<number, ErrorName>(
  (Object.keys(errorCodes) as ErrorName[]).map((name) => [errorCodes[name], name]),
);

/**
 * Why an operation was refused or failed. Nothing that fails changes the revision or the data.
 *
 * `code` and `name` come from the one numbered table that all of revwatch's languages share
 * ({@link errorCodes}); the message says what was asked, what was wrong and what to do.
 */
export class RevwatchError extends Error {
  /** The number of the error, the same in every language and every version. */
  readonly code: number;
  /** The name of the error, such as `"EmptyKey"`. */
  override readonly name: ErrorName;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.name = names.get(code) ?? 'Internal';
  }
}

/** The error for an argument that no caller who heeds the types can give. */
export function invalidArgument(message: string): RevwatchError {
  return new RevwatchError(errorCodes.InvalidArgument, message);
}

/** The error for an option with a value that it cannot have. */
export function invalidOption(message: string): RevwatchError {
  return new RevwatchError(errorCodes.InvalidOption, message);
}

/** The error for using something that has been freed. */
export function closed(what: string): RevwatchError {
  return new RevwatchError(errorCodes.Closed, `the ${what} was closed: open a new one`);
}
