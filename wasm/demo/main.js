import { init, RevwatchError, Store, utf8 } from '../pkg/index.js';
import { followInto } from './state-table.js';
import { WatcherCard } from './watcher-card.js';

/** Room in each watcher's queue: little, so that one can see it overflow. */
const QUEUE_RESPONSES = 8;
/** Puts that the button writes. */
const BURST_PUTS = 500;
/** Events that the slow watcher takes at most when it reads from the history. */
const SLOW_EVENTS = 100;
/** How often the slow watcher reads; `?slow-ms=` makes it another. */
const SLOW_MS = Number(new URLSearchParams(location.search).get('slow-ms')) || 1000;

const byId = (id) => document.getElementById(id);

async function main() {
  await init();
  const store = Store.memory({ limits: { streamQueueResponses: QUEUE_RESPONSES } });
  byId('queue-room').textContent = `${QUEUE_RESPONSES}`;
  if (SLOW_MS !== 1000) byId('slow-pace').textContent = `one response every ${SLOW_MS} ms`;

  const watchers = [byId('fast'), byId('slow')].map((section) => {
    const watch = store.watch(...everything);
    watch.poll(); // that it was created
    return { watch, card: new WatcherCard(section, store.revision, QUEUE_RESPONSES) };
  });
  const show = () => {
    byId('revision').textContent = `${store.revision}`;
    const reports = store.watchers();
    for (const { watch, card } of watchers) {
      card.show(store.revision, reports.find(({ streamId }) => streamId === watch.streamId));
    }
  };

  readAtOnce(watchers[0], show);
  readSlowly(watchers[1], show);
  followInto(store, byId('state'), byId('state-synced'));
  takeInput(store, show);
  show();
}

const everything = [new Uint8Array(0), { prefix: true }];

async function readAtOnce({ watch, card }, show) {
  for await (const response of watch) {
    card.responded(response);
    show();
  }
}

function readSlowly({ watch, card }, show) {
  setInterval(() => {
    const response = watch.poll({ maxEvents: SLOW_EVENTS });
    if (response === null) return;
    card.responded(response);
    show();
  }, SLOW_MS);
}

function takeInput(store, show) {
  const say = (text) => (byId('message').textContent = text);
  const change = (work) => {
    try {
      say(work());
    } catch (error) {
      if (!(error instanceof RevwatchError)) throw error;
      say(`Refused: ${error.message}.`);
    }
    show();
  };
  const key = () => byId('key').value;

  byId('write').addEventListener('submit', (event) => {
    event.preventDefault();
    change(() => {
      const { revision } = store.put(utf8(key()), utf8(byId('value').value));
      return `Put “${key()}” at revision ${revision}.`;
    });
  });
  byId('delete').addEventListener('click', () => {
    change(() => {
      const { deleted, revision } = store.deleteRange(utf8(key()));
      if (deleted === 0) return `There is no key “${key()}”, so nothing changed and no revision was made.`;
      return `Deleted “${key()}” at revision ${revision}.`;
    });
  });
  byId('burst').addEventListener('click', () => {
    change(() => {
      for (let i = 0; i < BURST_PUTS; i += 1) {
        store.put(utf8(`burst/${i % 10}`), utf8(`${i + 1} of ${BURST_PUTS}`));
      }
      return `Wrote ${BURST_PUTS} puts to ten keys, each a revision of its own.`;
    });
  });
}

main().catch((error) => {
  byId('message').textContent = `This page could not start: ${error.message}`;
  throw error;
});
