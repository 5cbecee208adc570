// Which quantity the map holds: what the network gives, disparity or depth.

const $ = id => document.getElementById(id);
const NAMES = {raw: 'as the network gives', disparity: 'disparity', depth: 'depth'};

let chosen = 'raw';
let output = null; // of the model: /v1/info, model.output

// onChoose calls changed when another quantity can be asked for.
export function onChoose(changed) {
  for (const [value, words] of Object.entries(NAMES)) {
    const label = document.createElement('label');
    const input = Object.assign(document.createElement('input'), {type: 'radio', name: 'quantity', value, checked: value === chosen});
    input.addEventListener('change', () => {
      chosen = value;
      $('range').hidden = !needsRange();
      if (fields()) changed();
    });
    label.append(input, words);
    $('quantities').insertBefore(label, $('range'));
  }
  for (const id of ['nearest', 'farthest']) $(id).addEventListener('change', () => { if (fields()) changed(); });
}

// setModel takes what the model's numbers are.
export function setModel(o) {
  output = o;
  $('range').hidden = !needsRange();
}

// Some networks leave scale and shift open: depth then takes two distances that
// only people know.
const needsRange = () => chosen === 'depth' && output !== null && !output.representations.includes('depth');

// fields are those of a request; null while one is missing.
export function fields() {
  if (!needsRange()) return {representation: chosen};
  const near = $('nearest').valueAsNumber, far = $('farthest').valueAsNumber;
  return near > 0 && far > near ? {representation: chosen, depth_range: `${near},${far}`} : null;
}
