// A depth map as colours. The arithmetic is the server's, in float32, so that a
// pixel here has the colour that it has in the server's PNG.

// Canvases beyond this many pixels fail on phones, and no screen shows them.
const MOST_PIXELS = 4e6;

// withRange adds the smallest value and the span of the values to a map.
export function withRange(map) {
  let low = Infinity, high = -Infinity;
  for (const v of map.values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  return {...map, low, high, span: Math.fround(high - low)};
}

// share is where a value lies between the smallest (0) and the largest (1).
export function share(map, value) {
  return map.span > 0 ? Math.fround(Math.fround(value - map.low) / map.span) : 0;
}

// palette turns 256 RGB triples in base64 into pixels as a canvas stores them.
export function palette(base64) {
  const rgb = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
  const bytes = new Uint8ClampedArray(4 * 256).fill(255);
  for (let i = 0; i < 256; i++) bytes.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i);
  return new Uint32Array(bytes.buffer);
}

// paint colours the map on a canvas of its size, or of a fraction of that.
export function paint(canvas, map, colors) {
  const shrink = Math.min(1, Math.sqrt(MOST_PIXELS / (map.width * map.height)));
  const width = Math.max(1, Math.round(map.width * shrink));
  const height = Math.max(1, Math.round(map.height * shrink));
  const columns = Uint32Array.from({length: width}, (_, x) => Math.floor((x + 0.5) * map.width / width));
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let y = 0, i = 0; y < height; y++) {
    const row = Math.floor((y + 0.5) * map.height / height) * map.width;
    for (let x = 0; x < width; x++, i++) {
      pixels[i] = colors[Math.min(255, share(map, map.values[row + columns[x]]) * 256) | 0];
    }
  }
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d').putImageData(image, 0, 0);
}

// paintRamp draws the colours themselves, from the smallest to the largest value.
export function paintRamp(canvas, colors) {
  const image = new ImageData(256, 1);
  new Uint32Array(image.data.buffer).set(colors);
  canvas.getContext('2d').putImageData(image, 0, 0);
}
