// Files up: chosen, dropped or pasted; then how to send them.

import { sendFile } from './actions.js';
import { open } from './dialog.js';
import { byId, element, icon } from './element.js';
import { size } from './media.js';
import { me } from './route.js';
import { say } from './words.js';

/** How a file may be sent, the best way last. */
function kindsFor(files) {
  const all = (begin) => files.every((file) => file.type.startsWith(begin));
  if (all('image/')) return ['document', 'sticker', 'photo'];
  if (all('video/')) return ['document', 'animation', 'video_note', 'video'];
  if (all('audio/')) return ['document', 'voice', 'audio'];
  return ['document'];
}

function choice(kind, chosen) {
  const radio = element('input', { type: 'radio', name: 'kind', value: kind, checked: kind === chosen });
  return element('label', { class: 'choice' }, radio, say(kind));
}

async function offer(files) {
  if (!files.length || me() === null) return;
  const kinds = kindsFor(files);
  const content = (close) => {
    const form = element('form', { id: 'file-dialog', autocomplete: 'off' });
    const names = files.map((file) => element('li', {}, element('b', {}, file.name), ` ${size(file.size)}`));
    form.append(element('ul', {}, ...names));
    const choices = kinds.map((kind) => choice(kind, kinds.at(-1)));
    if (kinds.length > 1) form.append(element('fieldset', {}, element('legend', {}, say('as')), ...choices));
    else form.append(element('input', { type: 'hidden', name: 'kind', value: kinds[0] }));
    const caption = element('textarea', { name: 'caption', rows: '2', maxlength: '1024', id: 'file-caption', autofocus: true });
    const captioned = element('label', {}, element('span', {}, say('caption')), caption);
    form.addEventListener('change', () => {
      captioned.hidden = ['sticker', 'video_note'].includes(new FormData(form).get('kind'));
    });
    form.append(captioned);
    form.append(element('button', { type: 'submit', class: 'main', id: 'file-send' }, say('send')));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      close(Object.fromEntries(new FormData(form)));
    });
    return form;
  };
  const title = files.length > 1 ? say('sendFiles', { count: files.length }) : say('sendFile');
  const given = await open(title, content);
  if (given) await sendAll(files, given);
}

async function sendAll(files, { kind, caption }) {
  const person = me();
  for (const [place, file] of files.entries()) {
    const first = place === 0 && !['sticker', 'video_note'].includes(kind);
    if (!(await sendFile(person, file, kind, first ? caption.trim() : ''))) return;
  }
}

function followDrops() {
  const area = byId('drop');
  const scene = byId('chat');
  const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
  scene.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    area.hidden = false;
  });
  scene.addEventListener('dragleave', (event) => {
    if (!scene.contains(event.relatedTarget)) area.hidden = true;
  });
  scene.addEventListener('drop', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    area.hidden = true;
    offer([...event.dataTransfer.files]);
  });
}

export function followFiles() {
  const input = byId('file-input');
  byId('attach').append(icon('attach'));
  byId('attach').addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    offer([...input.files]);
    input.value = '';
  });
  byId('composer').addEventListener('paste', (event) => {
    const files = [...event.clipboardData.files];
    if (!files.length) return;
    event.preventDefault();
    offer(files);
  });
  followDrops();
}
