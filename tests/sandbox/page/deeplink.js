// Links that start the bot with a parameter: in messages, pasted, or in the page's own address.

import { ask, open } from './dialog.js';
import { byId, element, walkByArrows } from './element.js';
import { addPerson, known } from './people.js';
import { avatar } from './person.js';
import { act } from './actions.js';
import { become } from './route.js';
import { store } from './store.js';
import { toast } from './toast.js';
import { say } from './words.js';

const PARAMETER = /^[\w-]{0,64}$/u;

/** The start parameter of a link to this bot; null if it is another link. */
function parameterOf(text) {
  const address = /^[\w-]+:/u.test(text) ? text : `https://${text}`;
  if (!URL.canParse(address)) return null;
  const { protocol, hostname, pathname, searchParams } = new URL(address);
  const ours = (name) => name?.toLowerCase() === store.bot.username.toLowerCase();
  const web = ['t.me', 'telegram.me'].includes(hostname) && ours(pathname.slice(1).replace(/\/$/u, ''));
  const app = protocol === 'tg:' && ours(searchParams.get('domain'));
  const parameter = searchParams.get('start') ?? '';
  return (web || app) && PARAMETER.test(parameter) ? parameter : null;
}

const NEW = 'new';

function choosePerson() {
  const content = (close) => {
    const person = ({ id, name }) => element('button', { type: 'button', data: { opener: id }, on: { click: () => close(id) } }, avatar(name, id), element('span', {}, name));
    const stranger = element('button', { type: 'button', autofocus: true, data: { opener: NEW }, on: { click: () => close(NEW) } }, avatar('+', 0), element('span', {}, say('newPerson')));
    const list = element('div', { class: 'choices' }, stranger, ...store.people.map(person));
    walkByArrows(list, 'button');
    return list;
  };
  return open(say('openAs'), content, { id: 'opener-dialog' });
}

/** Starts the bot with a parameter, as somebody who is chosen. */
async function start(parameter) {
  const chosen = await choosePerson();
  const id = chosen === NEW ? await addPerson() : chosen;
  if (id === null) return;
  await known(id);
  become(id);
  await act('send', { person: id, text: `/start ${parameter}`.trim() });
}

async function askForLink() {
  const example = `https://t.me/${store.bot.username}?start=ref1`;
  const fields = [{ name: 'link', label: say('link'), required: true, placeholder: example }];
  const given = await ask({ title: say('openLink'), fields, done: say('open') });
  if (!given) return;
  const parameter = parameterOf(given.link.trim());
  if (parameter === null) toast(say('linkWrong', { example }));
  else start(parameter);
}

/** Opens links to this bot here; all others are left alone. */
export function followLinks() {
  byId('open-link').append(say('openLink'));
  byId('open-link').addEventListener('click', askForLink);
  byId('messages').addEventListener('click', (event) => {
    const link = event.target.closest('a[href]');
    const parameter = link && parameterOf(link.href);
    if (parameter === null) return;
    event.preventDefault();
    start(parameter);
  });
  const query = new URLSearchParams(location.search);
  const given = query.get('start');
  if (given === null || !PARAMETER.test(given)) return;
  query.delete('start');
  const rest = query.size ? `?${query}` : '';
  history.replaceState(null, '', `${location.pathname}${rest}${location.hash}`);
  start(given);
}
