// Numbers and their meaning for people.

// output reads a Depth-Values header: "disparity; near=large; unit=relative; scale=unknown; …".
export function output(header) {
  const [meaning, ...rest] = header.split(';').map(s => s.trim());
  return {meaning, ...Object.fromEntries(rest.map(s => s.split('=')))};
}

export const larger = o => o.near === 'large' ? 'larger is nearer' : 'larger is farther';

// caution says what may be concluded from a value; docs/models.md has it in full.
export function caution(o) {
  const what = {
    disparity: 'Disparity: the inverse of the distance',
    depth: 'Depth: the distance',
    logit: 'Logit: the raw output of the network',
  }[o.meaning] ?? o.meaning;
  return `${what}; ${larger(o)}. ${scale(o)}`;
}

function scale(o) {
  if (o['depth-range']) return 'In metres, between the two distances that you stated.';
  if (o.scale === 'known') return 'In metres, as far as the training of the network holds.';
  const open = 'They are no metres, and other pictures have other scales.';
  if (o.shift === 'known') return `Relative units: ratios count, such as twice as far. ${open}`;
  return `Relative units: only the order within this picture counts. ${open}`;
}

export const unit = o => ({metre: 'm', '1/metre': '1/m'})[o.unit] ?? '';

export const ends = o => o.near === 'large' ? ['far', 'near'] : ['near', 'far'];

// number keeps five digits, as many as a float32 and a reader can use.
export const number = v => v.toPrecision(5);

export function bytes(n) {
  if (n < 1e6) return `${Math.ceil(n / 1e3)} kB`;
  return `${(n / 1e6).toFixed(1)} MB`;
}

export function milliseconds(ms) {
  if (ms < 0.1) return '< 0.1 ms';
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}
