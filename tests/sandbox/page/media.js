// What a message carries beside its text: files, pictures, sounds, contacts, places.

import { fileAddress } from './actions.js';
import { element, icon } from './element.js';
import { language, say } from './words.js';

const NAMES = {
  photo: 'kindPhoto', video: 'kindVideo', animation: 'kindVideo', video_note: 'kindVideo', voice: 'kindVoice',
  audio: 'kindAudio', sticker: 'kindSticker', document: 'kindDocument', contact: 'kindContact', location: 'kindLocation',
};
const ENDINGS = { photo: 'jpg', video: 'mp4', animation: 'mp4', video_note: 'mp4', voice: 'ogg', audio: 'mp3', sticker: 'webp' };

const kindOf = (message) => Object.keys(NAMES).find((kind) => message[kind]);

/** A message in a few words, for lists. */
export function describe(message) {
  const kind = kindOf(message);
  const words = message.text ?? message.caption ?? '';
  if (!kind) return words.slice(0, 200) || say('kindOther');
  const name = kind === 'document' ? (message.document.file_name ?? say('kindDocument')) : say(NAMES[kind]);
  return words ? `${name}, ${words.slice(0, 200)}` : name;
}

/** What the message carries as an element; null if it is but text. */
export function mediaOf(message) {
  const kind = kindOf(message);
  if (!kind) return message.text === undefined && message.caption === undefined ? other() : null;
  if (kind === 'contact') return contact(message.contact);
  if (kind === 'location') return place(message.location);
  const file = kind === 'photo' ? message.photo.at(-1) : message[kind];
  const named = { ...file, file_name: file.file_name ?? `${kind}.${ENDINGS[kind]}` };
  if (['photo', 'sticker'].includes(kind)) return picture(kind, named);
  if (['video', 'animation', 'video_note'].includes(kind)) return film(kind, named);
  if (['voice', 'audio'].includes(kind)) return sound(kind, named);
  return card(named);
}

function picture(kind, file) {
  const shown = element('img', { class: kind, alt: say(NAMES[kind]), src: fileAddress(file.file_id, file.file_name, true) });
  const opened = element('a', { class: 'picture', href: shown.src, target: '_blank', data: { file: file.file_id } }, shown);
  // Tests send bytes that are no picture.
  shown.addEventListener('error', () => opened.replaceWith(card(file, NAMES[kind])));
  return opened;
}

function film(kind, file) {
  const shown = element('video', { class: kind, controls: true, preload: 'metadata', src: fileAddress(file.file_id, file.file_name, true) });
  shown.addEventListener('error', () => shown.replaceWith(card(file, NAMES[kind])));
  return shown;
}

function sound(kind, file) {
  const shown = element('audio', { controls: true, preload: 'metadata', src: fileAddress(file.file_id, file.file_name, true) });
  const title = [file.performer, file.title].filter(Boolean).join(' — ') || say(NAMES[kind]);
  const box = element('div', { class: 'sound' }, element('span', {}, title), shown);
  shown.addEventListener('error', () => box.replaceWith(card(file, NAMES[kind])));
  return box;
}

/** A file to be downloaded. */
function card(file, kind) {
  const name = kind ? say(kind) : file.file_name;
  return element(
    'a',
    {
      class: 'file', href: fileAddress(file.file_id, file.file_name), download: file.file_name,
      'aria-label': say('download', { name: `${name}, ${size(file.file_size)}` }), data: { file: file.file_id },
    },
    element('span', { class: 'round' }, icon('file')),
    element('span', { class: 'file-name' }, name),
    element('span', { class: 'file-size' }, size(file.file_size)),
  );
}

function contact({ first_name, last_name, phone_number }) {
  const name = [first_name, last_name].filter(Boolean).join(' ');
  return element('div', { class: 'contact' }, element('b', {}, name), element('span', {}, phone_number));
}

function place({ latitude, longitude }) {
  return element('div', { class: 'contact' }, element('b', {}, say('kindLocation')), element('span', {}, `${latitude}, ${longitude}`));
}

const other = () => element('i', { class: 'other' }, say('kindOther'));

const UNITS = ['byte', 'kilobyte', 'megabyte'].map(
  (unit) => new Intl.NumberFormat(language, { style: 'unit', unit, maximumFractionDigits: 1 }),
);

/** A size in bytes as people say it. */
export function size(bytes = 0) {
  const step = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  return UNITS[step].format(bytes / 1024 ** step);
}
