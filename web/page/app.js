// The page: a picture in, its depth map out. This file holds what happens when;
// the other modules know how.

import {estimate, get} from './api.js';
import {watch} from './device.js';
import {paint, paintRamp, palette, share, withRange} from './depthmap.js';
import {onMove, setMap, setShape, showPicture} from './figures.js';
import {readNPZ} from './npz.js';
import {onPick} from './pick.js';
import * as quantity from './quantity.js';
import {showTimings} from './timings.js';
import * as words from './words.js';

const $ = id => document.getElementById(id);

let job = null;       // the picture on show: {file, fields, cancel, map, output, npz}
let colormaps = null; // {names, tables}, once the service has told
let colormap = '';    // the chosen one

// open estimates a picture. It cancels the one before, in whatever state that is.
async function open(file) {
  job?.cancel.abort();
  // Where a distance is missing, the map is what the network gives.
  const fields = quantity.fields() ?? {representation: 'raw'};
  const mine = job = {file, fields, cancel: new AbortController()};
  clearError();
  setMap(null);
  $('invite').hidden = true;
  $('work').hidden = false;
  $('result').hidden = true;
  $('depth').hidden = $('depth-missing').hidden = true;
  $('picture-about').textContent = `${file.name}, ${words.bytes(file.size)}`;
  $('depth-about').textContent = '';
  showPicture(file);
  showProgress('send', 0, file.size);
  try {
    const [answer] = await Promise.all([
      estimate(file, {
        accept: 'application/x-npz', fields: {normalize: 'false', ...fields}, signal: mine.cancel.signal,
        progress: (...p) => { if (job === mine) showProgress(...p); },
      }),
      loadColormaps(),
    ]);
    const map = withRange(await readNPZ(answer.bytes));
    if (job === mine) show(Object.assign(mine, {map, npz: answer.bytes}), answer);
  } catch (error) {
    if (job !== mine) return; // cancelled: another picture is on its way
    $('depth-missing').hidden = false;
    fail(error, () => open(file));
    look(); // the device's state may say more
  } finally {
    if (job === mine) $('busy').hidden = true;
  }
}

// showProgress also covers the time between: all sent, nothing received yet.
function showProgress(what, done, total) {
  const waiting = what === 'send' && total > 0 && done >= total;
  const text = waiting ? 'Estimating' : what === 'send' ? 'Sending the picture' : 'Receiving the depth map';
  $('busy').hidden = false;
  if ($('busy-text').textContent !== text) $('busy-text').textContent = text;
  if (waiting || total === 0) $('progress').removeAttribute('value');
  else $('progress').value = done / total;
}

function show({file, map}, answer) {
  const output = words.output(answer.header('Depth-Values'));
  const [left, right] = words.ends(output), unit = words.unit(output);
  job.output = output;
  setShape(map.width, map.height);
  setMap(map);
  $('depth').hidden = false;
  $('result').hidden = false;
  $('picture-about').textContent = `${file.name}, ${map.width} × ${map.height}, ${words.bytes(file.size)}`;
  $('depth-about').textContent = `${answer.header('Depth-Model')}: ${output.meaning}, ${words.larger(output)}`;
  $('low').textContent = `${words.number(map.low)} ${unit} ${left}`;
  $('high').textContent = `${right} ${words.number(map.high)} ${unit}`;
  $('legend').ariaLabel = `Scale from ${words.number(map.low)} (${left}) to ${words.number(map.high)} (${right})`;
  $('value').textContent = '–';
  $('value-name').textContent = output.meaning;
  $('position').textContent = 'point at a picture, tap it, or use the arrow keys';
  $('meaning').textContent = words.caution(output);
  $('mark').hidden = true;
  showTimings(answer.header('Server-Timing'), answer.milliseconds);
  recolor();
}

function recolor() {
  const colors = palette(colormaps.tables[colormap]);
  paintRamp($('ramp'), colors);
  if (job?.map) paint($('depth'), job.map, colors);
}

onMove(({x, y}, byKey) => {
  const {map, output} = job;
  const value = map.values[y * map.width + x];
  // A pointer would flood a screen reader; who moves by key wants to hear it.
  $('readout').ariaLive = byKey ? 'polite' : 'off';
  $('value').textContent = words.number(value);
  $('value-name').textContent = `${words.unit(output)} ${output.meaning}`;
  $('position').textContent = `at x ${x}, y ${y} of ${map.width} × ${map.height}`;
  $('mark').hidden = false;
  $('mark').style.left = `${share(map, value) * 100}%`;
});

// loadColormaps asks for the tables once, and again if that failed.
async function loadColormaps() {
  if (colormaps) return;
  const {body} = await get('v1/colormaps');
  if (colormaps) return;
  colormaps = body;
  [colormap] = body.names;
  for (const name of body.names) {
    const label = document.createElement('label');
    const input = Object.assign(document.createElement('input'), {type: 'radio', name: 'colormap', value: name, checked: name === colormap});
    const ramp = Object.assign(document.createElement('canvas'), {width: 256, height: 1});
    paintRamp(ramp, palette(body.tables[name]));
    input.addEventListener('change', () => {
      colormap = name;
      recolor();
    });
    label.append(input, ramp, name);
    $('colormaps').append(label);
  }
}

// The PNGs come from the server: in full size, and with what the numbers mean
// written inside.
function savePNG(button, suffix, fields) {
  $(button).addEventListener('click', async () => {
    const {file, cancel} = job, mine = job;
    $(button).disabled = true;
    clearError();
    try {
      const answer = await estimate(file, {accept: 'image/png', fields: {...mine.fields, ...fields()}, signal: cancel.signal});
      save(answer.bytes, 'image/png', suffix());
    } catch (error) {
      if (job === mine) fail(error, () => $(button).click());
    } finally {
      $(button).disabled = false;
    }
  });
}

savePNG('save-color', () => `${colormap}.png`, () => ({output_format: 'image', colormap}));
savePNG('save-gray', () => 'depth16.png', () => ({output_format: 'depth_png_16'}));
$('save-npz').addEventListener('click', () => save(job.npz, 'application/x-npz', 'depth.npz'));

function save(bytes, type, suffix) {
  const url = URL.createObjectURL(new Blob([bytes], {type}));
  const name = job.file.name.replace(/\.[^.]*$/, '');
  Object.assign(document.createElement('a'), {href: url, download: `${name}.${suffix}`}).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser reads it after the click
}

let countdown;

// fail says what went wrong, and offers another try where one may help: not
// before the service asked for it (Retry-After).
function fail(error, again) {
  $('error-text').textContent = error.message;
  $('error').hidden = false;
  const retry = $('retry');
  retry.hidden = error.retryAfter === undefined || !again;
  retry.onclick = again;
  let left = error.retryAfter ?? 0;
  clearInterval(countdown);
  const tick = () => {
    retry.disabled = left > 0;
    retry.textContent = left > 0 ? `Try again in ${left} s` : 'Try again';
    if (left-- <= 0) clearInterval(countdown);
  };
  tick();
  countdown = setInterval(tick, 1000);
}

function clearError() {
  clearInterval(countdown);
  $('error').hidden = true;
}

onPick(open, text => fail(new Error(text)));
quantity.onChoose(() => { if (job) open(job.file); });
const look = watch(info => {
  quantity.setModel(info.model.output ?? null);
  loadColormaps().catch(() => {}); // a failure shows when a picture needs them
});
$('curl').textContent = `curl -F image=@photo.jpg -H 'Accept: image/png' ${location.origin}/v1/depth/estimate -o depth.png`;
