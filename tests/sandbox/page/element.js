// Elements of the page, made without any markup in strings.

const SVG = 'http://www.w3.org/2000/svg';

/** An element with attributes (`on` for listeners, `data` for data-*), texts and elements in it. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
    } else if (name === 'data') {
      Object.assign(made.dataset, value);
    } else {
      made.setAttribute(name, value === true ? '' : value);
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A picture of icon.svg; it has no meaning for a screen reader. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `icon.svg#${name}`);
  svg.append(use);
  return svg;
}

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** Moves the focus by the arrow keys among the parts of a list. */
export function walkByArrows(list, selector) {
  list.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    const all = [...list.querySelectorAll(selector)];
    // From the list itself, the way leads up into it.
    const here = event.target === list ? all.length : all.indexOf(event.target.closest(selector));
    if (step === undefined || here < 0 || !all.length) return;
    event.preventDefault();
    all[Math.max(0, Math.min(all.length - 1, here + step))].focus();
  });
}
