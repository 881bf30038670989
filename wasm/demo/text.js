// Keys and values as a visitor reads them. They are bytes and need not be text.

import { utf8 } from '../pkg/index.js';

/** Bytes as text if they are that, and else in hexadecimal. */
export function readable(bytes) {
  try {
    return utf8(bytes);
  } catch {
    return `0x${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  }
}

/** An element with a class and a text. */
export function element(name, className, text) {
  const created = document.createElement(name);
  created.className = className;
  created.textContent = text;
  return created;
}
