import { element, readable } from './text.js';

/** Events that a card shows; it counts all of them. */
const SHOWN_EVENTS = 200;

const explanations = {
  synced: 'It has seen everything.',
  queued: 'What it has not read yet waits in its queue.',
  victim: 'Its queue is full. What it lacks stays in the history until it has room.',
  unsynced: 'It reads on in the history, many revisions at a time.',
};

/** What one watcher has seen, and how the store says it stands. */
export class WatcherCard {
  #section;
  #queueRoom;
  #seen;
  #received = 0;
  #missed = 0;

  constructor(section, revision, queueRoom) {
    this.#section = section;
    this.#queueRoom = queueRoom;
    this.#seen = revision;
    section.append(document.getElementById('watcher').content.cloneNode(true));
    this.#part('events').setAttribute('aria-labelledby', section.getAttribute('aria-labelledby'));
  }

  /** The watcher read a response. */
  responded(response) {
    if (response.type !== 'events') return;
    for (const event of response.events) this.#add(event);
    this.#forgetOldest();
  }

  /** Brings the card up to date with the store's revision and its report of the watcher. */
  show(revision, { state, queuedResponses }) {
    const shown = state === 'synced' && queuedResponses > 0 ? 'queued' : state;
    this.#section.dataset.state = shown;
    this.#write('state', shown);
    this.#write('explanation', explanations[shown]);
    this.#write('seen', this.#seen);
    this.#write('lag', `${revision - this.#seen}`);
    this.#write('queue', `${queuedResponses} of ${this.#queueRoom}`);
    this.#write('received', this.#received);
    this.#write('missed', this.#missed);
    const share = Number(this.#seen) / Number(revision);
    this.#part('progress').style.transform = `scaleX(${share})`;
  }

  #add({ type, kv }) {
    // Every revision changes something and the watcher watches all keys: none may be left out.
    if (kv.modRevision > this.#seen + 1n) this.#missed += Number(kv.modRevision - this.#seen - 1n);
    this.#seen = kv.modRevision;
    this.#received += 1;
    const text = type === 'PUT' ? `${readable(kv.key)} = ${readable(kv.value)}` : readable(kv.key);
    const row = document.createElement('li');
    row.append(
      element('span', 'at', `${kv.modRevision}`),
      element('span', `type ${type}`, type),
      element('span', 'what', text),
    );
    this.#part('events').prepend(row);
  }

  #forgetOldest() {
    const events = this.#part('events');
    while (events.childElementCount > SHOWN_EVENTS) events.lastElementChild.remove();
  }

  #write(part, value) {
    const text = `${value}`;
    const element = this.#part(part);
    // Untouched texts are not announced again by screen readers.
    if (element.textContent !== text) element.textContent = text;
  }

  #part(name) {
    return this.#section.querySelector(`[data-part="${name}"]`);
  }
}
