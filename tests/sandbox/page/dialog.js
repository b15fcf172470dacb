// Windows over the page. The browser keeps the focus inside and closes them by Esc.

import { byId, element, icon } from './element.js';
import { say } from './words.js';

/** Opens a window with this content; gives what `close` was called with, or null. */
export function open(title, content, attributes = {}) {
  const back = document.activeElement;
  return new Promise((done) => {
    const shown = element('dialog', { 'aria-labelledby': 'dialog-title', ...attributes });
    let result = null;
    const close = (given) => {
      result = given;
      shown.close();
    };
    const shut = element('button', { type: 'button', class: 'round', 'aria-label': say('close'), on: { click: () => close(null) } }, icon('close'));
    const head = element('header', {}, element('h2', { id: 'dialog-title' }, title), shut);
    shown.append(head, content(close));
    shown.addEventListener('click', (event) => event.target === shown && close(null));
    shown.addEventListener('close', () => {
      shown.remove();
      if (back?.isConnected) back.focus();
      done(result);
    });
    document.body.append(shown);
    shown.showModal();
  });
}

/** A labelled input. */
function input({ label, ...attributes }) {
  const field = element('input', { type: 'text', id: `ask-${attributes.name}`, ...attributes });
  return element('label', {}, element('span', {}, label), field);
}

/** Asks for some fields; gives their values by name, or null. */
export function ask({ title, fields, done, hint }) {
  const content = (close) => {
    const form = element('form', { autocomplete: 'off' });
    form.append(...fields.map((field, place) => input({ autofocus: place === 0, ...field })));
    if (hint) form.append(element('p', { class: 'hint' }, hint));
    form.append(element('button', { type: 'submit', class: 'main' }, done));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      close(Object.fromEntries(new FormData(form)));
    });
    return form;
  };
  return open(title, content);
}

/** The window of an answer to a press. */
export function alertOf(text) {
  const content = (close) => {
    const ok = element('button', { type: 'button', class: 'main', autofocus: true, on: { click: () => close(true) } }, say('ok'));
    return element('div', {}, element('p', { class: 'said' }, text), ok);
  };
  return open(byId('bot-name').textContent, content, { id: 'alert', role: 'alertdialog' });
}
