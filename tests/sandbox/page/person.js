// How people look: initials on a colour of their own.

import { element } from './element.js';

const COLOURS = 7;

function initials(name) {
  const words = name.split(/\s+/u).filter(Boolean);
  const first = [words[0], words.length > 1 ? words.at(-1) : ''];
  return first.map((word) => [...(word ?? '')][0] ?? '').join('').toUpperCase();
}

export function avatar(name, id) {
  const colour = String(Math.abs(id) % COLOURS);
  return element('span', { class: 'avatar', 'aria-hidden': 'true', data: { colour } }, initials(name));
}
