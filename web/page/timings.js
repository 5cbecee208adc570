// Where an estimate's time went: the Server-Timing header, and what the way
// there and back took on top.

import {milliseconds} from './words.js';

const NAMES = {
  decode: 'decode the picture', resize: 'resize it', queue: 'wait', load: 'load the model', infer: 'inference',
  post: 'resize the map', encode: 'encode', transfer: 'transfer',
};

// parse reads "decode;dur=1.20, infer;dur=9.80" (W3C Server Timing).
function parse(header) {
  return [...header.matchAll(/([\w-]+);dur=([\d.]+)/g)].map(([, name, dur]) => ({name, ms: Number(dur)}));
}

// showTimings fills the bar and the table; total is the whole round trip.
export function showTimings(header, total) {
  const stages = parse(header);
  const inside = stages.reduce((sum, s) => sum + s.ms, 0);
  stages.push({name: 'transfer', ms: Math.max(0, total - inside)});
  document.getElementById('total').textContent = milliseconds(total);
  document.getElementById('bar').replaceChildren(...stages.map(({name, ms}) => {
    const part = document.createElement('span');
    part.className = `stage ${name}`;
    part.style.flexGrow = ms;
    return part;
  }));
  document.getElementById('times').replaceChildren(...stages.map(({name, ms}) => {
    const row = document.createElement('tr');
    const head = document.createElement('th');
    const swatch = document.createElement('i');
    swatch.className = `stage ${name}`;
    head.scope = 'row';
    head.append(swatch, NAMES[name] ?? name);
    const cell = document.createElement('td');
    cell.textContent = milliseconds(ms);
    row.append(head, cell);
    return row;
  }));
}
