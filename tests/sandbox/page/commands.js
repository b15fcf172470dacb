// The menu of commands that opens by «/» and by its button.

import { byId, element } from './element.js';
import { me, onPerson } from './route.js';
import { listen, personOf } from './store.js';

let chosen = 0;
let pick = () => {};

const field = () => byId('composer');
const options = () => [...byId('command-list').children];

export const isMenuOpen = () => !byId('commands').hidden;

function option({ command, description }, place) {
  return element(
    'li',
    { role: 'option', id: `command-${place}`, data: { command }, on: { click: () => pick(`/${command}`) } },
    element('b', {}, `/${command}`),
    element('span', {}, description),
  );
}

function choose(place) {
  const all = options();
  chosen = (place + all.length) % all.length;
  all.forEach((one, index) => one.setAttribute('aria-selected', String(index === chosen)));
  field().setAttribute('aria-activedescendant', all[chosen].id);
  all[chosen].scrollIntoView({ block: 'nearest' });
}

function openMenu(commands) {
  if (!commands.length) return closeMenu();
  byId('command-list').replaceChildren(...commands.map(option));
  byId('commands').hidden = false;
  byId('commands-toggle').setAttribute('aria-expanded', 'true');
  choose(0);
}

function closeMenu() {
  byId('commands').hidden = true;
  byId('commands-toggle').setAttribute('aria-expanded', 'false');
  field().removeAttribute('aria-activedescendant');
}

const commandsOfMe = () => personOf(me())?.commands ?? [];

/** Opens, narrows or closes the menu by what is being written. */
export function narrowMenu() {
  const [, begun] = /^\/(\w*)$/u.exec(field().value) ?? [];
  if (begun === undefined) return closeMenu();
  openMenu(commandsOfMe().filter(({ command }) => command.startsWith(begun.toLowerCase())));
}

/** Takes a key if the menu wants it. */
export function menuTakes(key) {
  if (!isMenuOpen()) return false;
  if (key === 'ArrowDown') choose(chosen + 1);
  else if (key === 'ArrowUp') choose(chosen - 1);
  else if (key === 'Escape') closeMenu();
  else if (key === 'Enter') pick(`/${options()[chosen].dataset.command}`);
  else if (key === 'Tab') {
    field().value = `/${options()[chosen].dataset.command} `;
    closeMenu();
  } else return false;
  return true;
}

function clear() {
  field().value = '';
  field().dispatchEvent(new Event('input'));
}

/** Follows the menu; `send` writes the command that is picked. */
export function followCommands(send) {
  const toggle = byId('commands-toggle');
  const refresh = () => {
    toggle.hidden = !commandsOfMe().length;
  };
  pick = (command) => {
    closeMenu();
    clear();
    send(command);
  };
  toggle.addEventListener('click', () => {
    if (isMenuOpen()) closeMenu();
    else openMenu(commandsOfMe());
    field().focus();
  });
  listen('scene', refresh);
  onPerson(() => {
    closeMenu();
    refresh();
  });
}
