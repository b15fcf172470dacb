// Short words that go away by themselves.

import { byId, element } from './element.js';

const SHOWN = 3000;
const PER_LETTER = 40;

export function toast(text) {
  const shown = element('p', { class: 'toast' }, text);
  byId('toasts').append(shown);
  const gone = () => shown.remove();
  shown.addEventListener('click', gone);
  setTimeout(gone, SHOWN + PER_LETTER * text.length);
}
