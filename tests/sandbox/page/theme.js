// Light or dark: as the system has it, until the person chooses.

import { byId, icon } from './element.js';

const dark = matchMedia('(prefers-color-scheme: dark)');

function show() {
  const chosen = localStorage.getItem('theme') ?? (dark.matches ? 'dark' : 'light');
  document.documentElement.dataset.theme = chosen;
  byId('theme').replaceChildren(icon(chosen === 'dark' ? 'sun' : 'moon'));
}

export function followTheme() {
  byId('theme').addEventListener('click', () => {
    const next = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    if ((next === 'dark') === dark.matches) localStorage.removeItem('theme');
    else localStorage.setItem('theme', next);
    show();
  });
  dark.addEventListener('change', show);
  addEventListener('storage', show);
  show();
}
