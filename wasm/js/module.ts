import { errorCodes } from './error-codes.js';
import { RevwatchError } from './error.js';
import load, { type InitInput, lastPanic } from './revwatch_wasm.js';
import { Reader } from './wire.js';

/** Where the compiled module comes from: an address, a response, its bytes, or itself compiled. */
export type ModuleSource = InitInput | Promise<InitInput>;

let loading: Promise<void> | undefined;
let loaded = false;
let defect: RevwatchError | undefined;

/**
 * Loads revwatch; everything else needs this to have happened. Later calls return what the first
 * one did, whatever they are given, unless that failed.
 *
 * Without `source`, the module is found beside this file, also by bundlers.
 */
export function init(source?: ModuleSource): Promise<void> {
  return loadOnce(() => source ?? fileInNode());
}

/**
 * The module's bytes where this file was imported by its path in Node, which does not fetch files;
 * nothing elsewhere. No `import` may name a module of Node here, because bundlers would look for it.
 */
function fileInNode(): ModuleSource | undefined {
  const { process } = globalThis as { process?: Partial<NodeProcess> };
  if (process?.versions?.node === undefined || !import.meta.url.startsWith('file:')) return undefined;
  const files = process.getBuiltinModule?.('node:fs/promises');
  if (files === undefined) {
    throw new Error(
      "this version of Node lets revwatch's index.js read no file: import node.js, which is beside it, or 'revwatch' by name",
    );
  }
  return files.readFile(new URL('revwatch_wasm_bg.wasm', import.meta.url));
}

interface NodeProcess {
  versions: { node?: string };
  getBuiltinModule(name: 'node:fs/promises'): typeof import('node:fs/promises');
}

/**
 * Loads the module from where `find` says, unless it is loaded or being loaded already.
 *
 * @internal
 */
export function loadOnce(find: () => ModuleSource | undefined): Promise<void> {
  loading ??= loadFrom(find).catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function loadFrom(find: () => ModuleSource | undefined): Promise<void> {
  const source = find();
  await load(source === undefined ? undefined : { module_or_path: source });
  loaded = true;
}

/**
 * Runs `work`, which calls the module, and turns what stops the module into an error with a code.
 *
 * The module answers refusals and never throws. What is thrown nevertheless is a trap (a panic, no
 * more memory, no more stack) in the middle of some operation, so that nothing in the module's
 * memory can be trusted any more: every later call is refused with the same error.
 *
 * @internal
 */
export function enter<T>(work: () => T): T {
  if (!loaded) {
    throw new RevwatchError(errorCodes.Closed, 'revwatch is not loaded: await init() first');
  }
  if (defect !== undefined) throw defect;
  try {
    return work();
  } catch (cause) {
    defect = new RevwatchError(errorCodes.Internal, describe(cause), { cause });
    throw defect;
  }
}

/**
 * Whether the module has stopped for good.
 *
 * @internal
 */
export function hasStopped(): boolean {
  return defect !== undefined;
}

function describe(cause: unknown): string {
  let panic = '';
  try {
    panic = lastPanic();
  } catch {
    // So broken that it cannot even say why; the cause below remains.
  }
  const why = panic === '' ? String(cause) : panic;
  return `revwatch stopped and cannot go on in this page or process: ${why}; please report this as a defect, and load anew`;
}

/**
 * The contents of an answer, or the error that it is.
 *
 * @internal
 */
export function open(answer: Uint8Array): Reader {
  const reader = new Reader(answer);
  const code = reader.length();
  if (code === 0) return reader;
  throw new RevwatchError(code, new TextDecoder().decode(reader.bytes()));
}
