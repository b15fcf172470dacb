// Faults to try: each is a switch that says whether it is on.

import { act } from './actions.js';
import { byId, element } from './element.js';
import { listen, store } from './store.js';
import { say } from './words.js';

/** Kinds, with the seconds that some of them have at first. */
const KINDS = { down: null, slow: 3, busy: 5, broken: null };

const numbers = {};

function toggle(kind) {
  if (lasting(kind)) return act('mend', { kind });
  const number = numbers[kind];
  return act('spoil', { fault: { kind, ...(number && { seconds: Number(number.value) || KINDS[kind] }) } });
}

const lasting = (kind) => store.faults.find((fault) => fault.kind === kind && fault.times === null);

function control(kind) {
  const button = element('button', { type: 'button', 'aria-pressed': 'false', data: { fault: kind }, on: { click: () => toggle(kind) } }, say(kind));
  if (KINDS[kind] === null) return element('div', {}, button);
  const name = say('secondsOf', { what: say(kind) });
  numbers[kind] = element('input', { type: 'number', min: 1, max: 600, value: KINDS[kind], 'aria-label': name });
  numbers[kind].addEventListener('change', () => lasting(kind) && act('spoil', { fault: { kind, seconds: Number(numbers[kind].value) } }));
  return element('div', {}, button, numbers[kind], element('span', { 'aria-hidden': 'true' }, say('seconds')));
}

/** A fault that a test has ordered. */
function planned({ kind, number, method, times }) {
  const parts = [say(kind), number || null, method, say('left', { count: times })];
  return element('li', {}, say('planned', { what: parts.filter(Boolean).join(' · ') }));
}

function show() {
  for (const button of byId('faults').querySelectorAll('[data-fault]')) {
    button.setAttribute('aria-pressed', String(Boolean(lasting(button.dataset.fault))));
  }
  byId('planned').replaceChildren(...store.faults.filter((fault) => fault.times !== null).map(planned));
  byId('end-faults').hidden = !store.faults.length;
  const toggle = byId('panel-toggle');
  toggle.classList.toggle('alarm', store.faults.length > 0);
}

export function followFaults() {
  const end = () => [...new Set(store.faults.map((fault) => fault.kind))].forEach((kind) => act('mend', { kind }));
  byId('faults').append(
    element('h3', {}, say('faults')),
    element('p', { class: 'hint' }, say('faultsHint')),
    element('div', { class: 'switches' }, ...Object.keys(KINDS).map(control)),
    element('ul', { id: 'planned' }),
    element('button', { type: 'button', class: 'quiet', id: 'end-faults', hidden: true, on: { click: end } }, say('endFaults')),
  );
  listen('scene', show);
  show();
}
