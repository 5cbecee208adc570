// The picture and its depth map, with a crosshair at the same place in both.

const $ = id => document.getElementById(id);
const frames = [$('picture-frame'), $('depth-frame')];

let size = null;     // of the map: {width, height}; null while there is none
let place = null;    // of the crosshair, in the map's pixels
let moved = () => {}; // called with the place and whether the keyboard moved it

// onMove sets what is called when the crosshair moves.
export function onMove(f) { moved = f; }

// setShape gives both frames the proportions of the picture.
export function setShape(width, height) {
  $('pair').style.setProperty('--shape', width / height);
}

// setMap lets the crosshair roam over a map; null takes it away.
export function setMap(map) {
  size = map;
  place = null;
  for (const f of frames) f.classList.remove('pointed');
}

function put(x, y, byKey) {
  const clip = (v, most) => Math.min(Math.max(v, 0), most - 1);
  place = {x: clip(x, size.width), y: clip(y, size.height)};
  for (const f of frames) {
    f.classList.add('pointed');
    f.style.setProperty('--x', `${(place.x + 0.5) / size.width * 100}%`);
    f.style.setProperty('--y', `${(place.y + 0.5) / size.height * 100}%`);
  }
  moved(place, byKey);
}

function point(event) {
  if (!size) return;
  const box = event.currentTarget.getBoundingClientRect();
  put(Math.floor((event.clientX - box.left) / box.width * size.width),
    Math.floor((event.clientY - box.top) / box.height * size.height), false);
}

const directions = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};

function key(event) {
  const way = directions[event.key];
  if (!way || !size || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault(); // the page must not scroll as well
  const from = place ?? {x: Math.floor(size.width / 2), y: Math.floor(size.height / 2)};
  const step = event.shiftKey ? 1 : Math.max(1, Math.round(Math.max(size.width, size.height) / 64));
  put(from.x + (place ? step * way[0] : 0), from.y + (place ? step * way[1] : 0), true);
}

for (const f of frames) {
  f.addEventListener('pointermove', point);
  f.addEventListener('pointerdown', point);
}
$('depth-frame').addEventListener('keydown', key);

// showPicture shows the file while the service works on it. A browser does not
// know every format that the service reads.
export function showPicture(file) {
  const picture = $('picture');
  URL.revokeObjectURL(picture.src);
  $('picture-missing').hidden = true;
  picture.hidden = false;
  setShape(4, 3);
  picture.onload = () => { if (!size) setShape(picture.naturalWidth, picture.naturalHeight); };
  picture.onerror = () => {
    picture.hidden = true;
    $('picture-missing').hidden = false;
  };
  picture.src = URL.createObjectURL(file);
}
