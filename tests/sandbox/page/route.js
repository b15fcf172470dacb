// Who this tab is: the id behind # in its address. And on a narrow screen, what is in sight.

import { personOf, store } from './store.js';

const listeners = [];
let current = null;

/** The id of the person of this tab; null if none is chosen. */
export const me = () => current;

/** Whether people and chat are side by side. */
export const isWide = () => matchMedia('(min-width: 700px)').matches;

/** Calls the listener when the tab becomes somebody else. */
export const onPerson = (listener) => listeners.push(listener);

/** Makes the tab this person. */
export function become(id, push = true) {
  const address = `#${id}`;
  if (location.hash !== address) {
    if (push) history.pushState(null, '', address);
    else history.replaceState(null, '', address);
  }
  settle();
}

/** Back to the list of people, where there is no room for both. */
export function leaveChat() {
  history.pushState(null, '', location.pathname + location.search);
  showPane('people');
}

/** Shows one of: people, chat, panel. */
export function showPane(pane) {
  document.body.dataset.pane = pane;
}

function settle() {
  const id = Number(decodeURIComponent(location.hash.slice(1)));
  if (!personOf(id)) return showPane('people');
  showPane('chat');
  if (id === current) return;
  current = id;
  for (const listener of listeners) listener(id);
}

/** Reads the address, and goes on reading it. */
export function followAddress() {
  addEventListener('hashchange', settle);
  addEventListener('popstate', settle);
  settle();
  if (current === null && isWide() && store.people.length) become(store.people[0].id, false);
}
