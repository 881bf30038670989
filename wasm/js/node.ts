// What Node gets as the package: the same, but for where the module is read from.

import { loadOnce, type ModuleSource } from './module.js';

export * from './index.js';

/**
 * Loads revwatch; everything else needs this to have happened. Later calls return what the first
 * one did, whatever they are given, unless that failed.
 *
 * Without `source`, the module is read from the file beside this one.
 */
export function init(source?: ModuleSource): Promise<void> {
  return loadOnce(() => source ?? readModule());
}

async function readModule(): Promise<Uint8Array<ArrayBuffer>> {
  const { readFile } = await import('node:fs/promises');
  return new Uint8Array(await readFile(new URL('revwatch_wasm_bg.wasm', import.meta.url)));
}
