// Text with the entities of Telegram, as elements. Offsets count UTF-16 units, as JavaScript does.

import { element } from './element.js';
import { toast } from './toast.js';
import { say } from './words.js';

const TAGS = { bold: 'b', italic: 'i', underline: 'u', strikethrough: 's', code: 'code' };
const BLOCKS = ['pre', 'blockquote', 'expandable_blockquote'];
const LINKED = /\bhttps?:\/\/[^\s<>"']*[^\s<>"'.,:;!?)\]»]|(?<![\w/@.])\/[a-zA-Z0-9_]{1,32}(?:@\w+)?(?![\w/])/gu;

/** The text as nodes; `command` is called with a command that is clicked. */
export function formatted(text, entities = [], command = () => {}) {
  const sorted = entities
    .filter(({ offset, length }) => offset >= 0 && length > 0 && offset + length <= text.length)
    .toSorted((one, other) => one.offset - other.offset || other.length - one.length);
  return within(text, 0, text.length, sorted, command);
}

/** The nodes for a part of the text with the entities that begin in it. */
function within(text, start, end, entities, command) {
  const nodes = [];
  let at = start;
  let rest = entities;
  while (rest.length) {
    const [outer, ...others] = rest;
    const stop = Math.min(end, outer.offset + outer.length);
    const begin = Math.max(at, outer.offset);
    const inner = others.filter(({ offset }) => offset < stop);
    nodes.push(...plain(text.slice(at, begin), command));
    const part = text.slice(begin, stop);
    const bare = ['code', 'pre', 'url', 'text_link', 'bot_command'].includes(outer.type);
    const content = bare && !inner.length ? [part] : within(text, begin, stop, inner, command);
    nodes.push(...marked(outer, part, content, command));
    // The end of a line behind a block is the block's own.
    at = BLOCKS.includes(outer.type) && text[stop] === '\n' && stop < end ? stop + 1 : stop;
    rest = others.filter(({ offset }) => offset >= stop);
  }
  nodes.push(...plain(text.slice(at, end), command));
  return nodes;
}

/** Text without entities: addresses and commands are found by themselves, as in Telegram. */
function plain(text, command) {
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(LINKED)) {
    nodes.push(text.slice(at, found.index));
    const word = found[0];
    nodes.push(word.startsWith('/') ? commandLink(word, command) : link(word, [word]));
    at = found.index + word.length;
  }
  nodes.push(text.slice(at));
  return nodes.filter((node) => node !== '');
}

function marked(entity, part, content, command) {
  if (TAGS[entity.type]) return [element(TAGS[entity.type], {}, ...content)];
  switch (entity.type) {
    case 'spoiler':
      return [spoiler(content)];
    case 'pre':
      return [code(part, content, entity.language)];
    case 'blockquote':
      return [element('blockquote', {}, ...content)];
    case 'expandable_blockquote':
      return [foldedQuote(content)];
    case 'text_link':
      return [link(entity.url, content)];
    case 'url':
      return [link(/^[a-z]+:/i.test(part) ? part : `https://${part}`, content)];
    case 'email':
      return [link(`mailto:${part}`, content)];
    case 'bot_command':
      return [commandLink(part, command)];
    case 'mention':
    case 'text_mention':
    case 'hashtag':
    case 'cashtag':
    case 'phone_number':
      return [element('span', { class: 'mention' }, ...content)];
    default:
      return content;
  }
}

/** A link that leads away; only to what can do no harm. */
export function link(url, content, attributes = {}) {
  const safe = /^(https?|tg|mailto):/i.test(url) && !/^tg:\/\/user/i.test(url);
  if (!safe) return element('span', { class: 'mention', ...attributes }, ...content);
  const all = { href: url, target: '_blank', rel: 'noopener noreferrer', ...attributes };
  return element('a', all, ...content);
}

function commandLink(word, command) {
  return element('button', { type: 'button', class: 'command', on: { click: () => command(word) } }, word);
}

function spoiler(content) {
  const shown = element('span', { class: 'spoiler', role: 'button', tabindex: '0', 'aria-label': say('spoiler') }, ...content);
  const reveal = (event) => {
    if (event.type === 'keydown' && !['Enter', ' '].includes(event.key)) return;
    if (shown.classList.contains('open')) return;
    event.preventDefault();
    shown.classList.add('open');
    for (const name of ['role', 'tabindex', 'aria-label']) shown.removeAttribute(name);
  };
  shown.addEventListener('click', reveal);
  shown.addEventListener('keydown', reveal);
  return shown;
}

function code(part, content, language) {
  const copy = async () => {
    await navigator.clipboard.writeText(part);
    toast(say('copied'));
  };
  const button = element('button', { type: 'button', class: 'quiet', on: { click: copy } }, say('copyCode'));
  const head = element('span', { class: 'code-head' }, element('span', {}, language ?? ''), button);
  return element('div', { class: 'code' }, head, element('pre', { tabindex: '0' }, element('code', {}, ...content)));
}

function foldedQuote(content) {
  const quote = element('blockquote', { class: 'folded' }, element('div', {}, ...content));
  const unfold = () => quote.classList.toggle('folded', quote.classList.toggle('unfolded') === false);
  const press = () => {
    unfold();
    button.setAttribute('aria-expanded', String(quote.classList.contains('unfolded')));
  };
  const button = element('button', { type: 'button', class: 'unfold', 'aria-expanded': 'false', 'aria-label': say('expand'), on: { click: press } });
  quote.append(button);
  return quote;
}
