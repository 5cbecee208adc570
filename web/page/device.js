// The model and the device in the page's head, looked at every few seconds.

import {get} from './api.js';

const EVERY = 3000; // milliseconds

const $ = id => document.getElementById(id);

// set leaves equal text alone, so that a screen reader does not repeat it.
function set(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}

// watch looks at the service for as long as the page is open. It calls up with
// /v1/info after each look that found the service, and returns a function that looks at once.
export function watch(up) {
  let timer, looking = false;
  async function look() {
    clearTimeout(timer);
    if (looking) return;
    looking = true;
    try {
      const [info, ready] = await Promise.all([get('v1/info'), get('health/ready')]);
      show(info.body, ready.body);
      up(info.body);
    } catch {
      showAway();
    }
    looking = false;
    if (!document.hidden) timer = setTimeout(look, EVERY);
  }
  document.addEventListener('visibilitychange', () => { if (!document.hidden) look(); });
  look();
  return look;
}

function show({version, model, device}, {ready, reason}) {
  set('version', `hailo-depth ${version}`);
  set('device-model', model.name ?? '–');
  set('device-name', device?.architecture ? describe(device) : '–');
  if (ready) {
    state('ready', device?.queue_depth > 0 ? `ready, ${device.queue_depth} waiting` : 'ready');
  } else if (reason === 'model_loading') {
    state('wait', 'loading the model');
  } else if (!device) {
    state('away', `the device is away: ${reason}`);
  } else {
    state('wait', `not ready: ${reason}`);
  }
}

// describe: "CPU, ONNX Runtime 1.24" or "NPU HAILO10H 0001:01:00.0, 53.5 °C".
function describe(d) {
  const parts = d.architecture === 'CPU' ? ['CPU', d.firmware] : [`NPU ${d.architecture} ${d.id}`];
  if (d.temperature_celsius !== null) parts.push(`${d.temperature_celsius.toFixed(1)} °C`);
  return parts.filter(Boolean).join(', ');
}

function showAway() {
  set('device-name', '–');
  state('away', 'the service does not answer; the page keeps trying');
}

function state(level, text) {
  $('device').dataset.level = level;
  set('device-state', text);
}
