const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Text as bytes, and bytes as text. Keys and values are bytes throughout; this is the shortest way
 * to use text for them.
 *
 * Throws a `TypeError` for bytes that are not UTF-8: a key shown wrongly would be looked for in vain.
 */
export function utf8(text: string): Uint8Array;
export function utf8(bytes: Uint8Array): string;
export function utf8(value: string | Uint8Array): Uint8Array | string {
  return typeof value === 'string' ? encoder.encode(value) : decoder.decode(value);
}
