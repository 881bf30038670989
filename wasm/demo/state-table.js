import { element, readable } from './text.js';

/** Shows the state of the store as a follower tells it, and nothing else. */
export async function followInto(store, body, synced) {
  const state = new Map();
  let scheduled = false;
  const showSoon = () => {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      show(state, body);
    });
  };
  for await (const response of store.follow(new Uint8Array(0), { prefix: true })) {
    switch (response.type) {
      case 'reset':
        state.clear();
        break;
      case 'state':
        for (const kv of response.kvs) state.set(readable(kv.key), kv);
        break;
      case 'synced':
        synced.textContent = `complete at revision ${response.revision}`;
        break;
      case 'events':
        for (const { type, kv } of response.events) {
          if (type === 'PUT') state.set(readable(kv.key), kv);
          else state.delete(readable(kv.key));
        }
        synced.textContent = `complete at revision ${response.events.at(-1).kv.modRevision}`;
        break;
    }
    showSoon();
  }
}

function show(state, body) {
  const rows = [...state.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, kv]) => {
      const row = document.createElement('tr');
      row.append(
        element('td', '', key),
        element('td', '', readable(kv.value)),
        element('td', 'number', `${kv.version}`),
        element('td', 'number created', `${kv.createRevision}`),
        element('td', 'number', `${kv.modRevision}`),
      );
      return row;
    });
  body.replaceChildren(...rows);
}
