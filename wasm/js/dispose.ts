/**
 * `Symbol.dispose` where there is one, and elsewhere what a compiler's `using` falls back to. The
 * global object is left as it is.
 */
export const dispose: typeof Symbol.dispose =
  Symbol.dispose ?? (Symbol.for('Symbol.dispose') as typeof Symbol.dispose);
