import { element, readable } from './text.js';

/** Events that a card shows; it counts all of them. */
const SHOWN_EVENTS = 200;

const explanations = {
  synced: 'It has seen everything.',
  queued: 'What it has not read yet waits in its queue.',
  victim: 'Its queue is full. What it lacks stays in the history until it has room.',
  unsynced: 'It reads on in the history, many revisions at a time.',
};

/** What one watcher has seen, and how far behind it is. */
export class WatcherCard {
  #section;
  #queueRoom;
  #seen;
  #current;
  #received = 0;
  #missed = 0;
  #queued = 0;
  #overran = false;

  constructor(section, revision, queueRoom) {
    this.#section = section;
    this.#queueRoom = queueRoom;
    this.#seen = this.#current = revision;
    section.append(document.getElementById('watcher').content.cloneNode(true));
    this.#part('events').setAttribute('aria-labelledby', section.getAttribute('aria-labelledby'));
    this.show();
  }

  /** The revision up to which the watcher has seen everything. */
  get seen() {
    return this.#seen;
  }

  /** A change was committed: it is queued for the watcher, or left in the history. */
  committed(revision) {
    this.#current = revision;
    if (this.#overran || this.#queued === this.#queueRoom) this.#overran = true;
    else this.#queued += 1;
  }

  /** The watcher read a response. */
  responded(response) {
    if (response.type !== 'events') return;
    this.#queued = Math.max(0, this.#queued - 1);
    for (const event of response.events) this.#add(event);
    if (this.#seen === this.#current) {
      this.#queued = 0;
      this.#overran = false;
    }
    this.#forgetOldest();
  }

  /** Brings the card up to date. */
  show() {
    const lag = this.#current - this.#seen;
    const state = this.#state(lag);
    this.#section.dataset.state = state;
    this.#write('state', state);
    this.#write('explanation', explanations[state]);
    this.#write('seen', this.#seen);
    this.#write('lag', `${lag}`);
    this.#write('queue', `${this.#queued} of ${this.#queueRoom}`);
    this.#write('received', this.#received);
    this.#write('missed', this.#missed);
    const share = Number(this.#seen) / Number(this.#current);
    this.#part('progress').style.transform = `scaleX(${share})`;
  }

  #state(lag) {
    if (lag === 0n) return 'synced';
    if (!this.#overran) return 'queued';
    return this.#queued > 0 ? 'victim' : 'unsynced';
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
