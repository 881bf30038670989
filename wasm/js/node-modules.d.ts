// The one function of Node's that the package uses, so that it needs no types of the whole of Node.
declare module 'node:fs/promises' {
  export function readFile(file: URL): Promise<Uint8Array<ArrayBuffer>>;
}
