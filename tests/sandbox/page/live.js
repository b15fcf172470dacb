// Live changes. Of all tabs only one holds a connection and tells the others: browsers allow six.

import { byId } from './element.js';
import { apply, store } from './store.js';
import { say } from './words.js';

const channel = new BroadcastChannel('telegram-sandbox');
const AGAIN = 1500;

/** Fetches all there is, then follows every change. */
export async function goLive() {
  channel.onmessage = ({ data }) => (data.changes ? take(data.changes) : show(data.connected));
  await catchUp();
  if (!navigator.locks) return follow();
  navigator.locks.request('stream', () => new Promise(() => follow()));
}

async function catchUp() {
  try {
    const answer = await fetch(`api/changes?since=${store.revision}`);
    take(await answer.json());
    show(true);
  } catch {
    show(false);
    await new Promise((resume) => setTimeout(resume, AGAIN));
    await catchUp();
  }
}

function follow() {
  const source = new EventSource(`api/stream?since=${store.revision}&run=${store.run}`);
  source.onopen = () => announce(true);
  source.onmessage = ({ data }) => {
    const changes = JSON.parse(data);
    take(changes);
    channel.postMessage({ changes });
  };
  source.onerror = () => {
    announce(false);
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, AGAIN);
  };
}

function take(changes) {
  if (store.run && changes.run !== store.run) return location.reload();
  if (changes.since > store.revision) return catchUp();
  if (changes.revision >= store.revision) apply(changes);
}

function announce(connected) {
  show(connected);
  channel.postMessage({ connected });
}

function show(connected) {
  document.body.dataset.live = connected ? 'yes' : 'no';
  byId('connection').textContent = connected ? '' : say('lost');
}
