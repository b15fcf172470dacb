// The people of the page: who one is, and what waits for whom.

import { act } from './actions.js';
import { ask } from './dialog.js';
import { byId, element, icon, walkByArrows } from './element.js';
import { describe } from './media.js';
import { avatar } from './person.js';
import { become, me, onPerson } from './route.js';
import { listen, messagesOf, personOf, store, unreadOf } from './store.js';
import { language, say } from './words.js';

const clock = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

function lastWords(person) {
  const last = messagesOf(person.id).at(-1);
  if (!last) return [person.started ? '' : say('never'), ''];
  const words = describe(last.message);
  return [last.from_bot ? words : `${say('you')}: ${words}`, clock.format(last.message.date * 1000)];
}

function row(person) {
  const unread = unreadOf(person);
  const [words, time] = lastWords(person);
  const badge = element('span', { class: 'badge', 'aria-label': say('unread', { count: unread }) }, String(unread));
  const button = element(
    'button',
    {
      type: 'button',
      'aria-current': person.id === me() ? 'true' : null,
      data: { person: person.id, unread },
      on: { click: () => become(person.id) },
    },
    avatar(person.name, person.id),
    element('span', { class: 'name' }, person.name),
    element('time', {}, time),
    element('span', { class: 'words' }, words),
    unread ? badge : null,
  );
  return element('li', {}, button);
}

function show() {
  const list = byId('person-list');
  const focused = document.activeElement?.dataset?.person;
  list.replaceChildren(...store.people.map(row));
  if (focused) list.querySelector(`[data-person="${focused}"]`)?.focus();
  byId('note').hidden = !store.note;
  byId('note').textContent = store.note ?? '';
  showTitle();
}

function showTitle() {
  const person = personOf(me());
  const unread = person ? unreadOf(person) : 0;
  const name = person ? `${person.name} — ${store.bot.first_name}` : store.bot.first_name;
  document.title = unread ? `(${unread}) ${name}` : name;
}

/** Asks for a new person; gives the id. */
export async function addPerson() {
  const fields = [
    { name: 'name', label: say('name'), required: true, maxlength: 64 },
    { name: 'id', label: say('id'), inputmode: 'numeric', pattern: '[0-9]*', maxlength: 15 },
  ];
  const given = await ask({ title: say('addPerson'), fields, done: say('add') });
  if (!given) return null;
  const joined = await act('join', { name: given.name, language, ...(given.id && { id: Number(given.id) }) });
  return joined?.id ?? null;
}

/** Waits until the person is known here. */
export function known(id) {
  if (personOf(id)) return Promise.resolve();
  return new Promise((done) => listen('scene', () => personOf(id) && done()));
}

export function followPeople() {
  byId('add-person').append(icon('add-person'));
  byId('add-person').addEventListener('click', async () => {
    const id = await addPerson();
    if (id === null) return;
    await known(id);
    become(id);
  });
  walkByArrows(byId('person-list'), 'button');
  listen('scene', show);
  listen('messages', show);
  onPerson(show);
  show();
}
