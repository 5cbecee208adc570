// Reads the one array out of a NumPy archive: a ZIP file whose member depth.npy
// holds float32 values, little endian, rows first.

const END = 0x06054b50, ENTRY = 0x02014b50; // signatures of the ZIP format

// readNPZ returns {width, height, values}.
export async function readNPZ(buffer) {
  const {method, data, size} = findMember(buffer, 'depth.npy');
  let npy;
  if (method === 0) {
    npy = data.slice(); // a copy starts at 0, where float32 values are aligned
  } else if (method === 8) {
    const stream = new Response(data).body.pipeThrough(new DecompressionStream('deflate-raw'));
    npy = new Uint8Array(await new Response(stream).arrayBuffer());
  } else {
    throw new Error(`depth.npy is compressed with method ${method}; expected 0 or 8`);
  }
  if (npy.length !== size) throw new Error(`depth.npy has ${npy.length} bytes, expected ${size}`);
  return parseNPY(npy);
}

// findMember goes by the directory at the archive's end: a streamed member does
// not know its size at its beginning.
function findMember(buffer, wanted) {
  const view = new DataView(buffer);
  let end = buffer.byteLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== END) end--;
  if (end < 0) throw new Error('the answer is not a ZIP archive');
  let at = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0 && view.getUint32(at, true) === ENTRY; left--) {
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(new Uint8Array(buffer, at + 46, nameLength));
    if (name === wanted) {
      const local = view.getUint32(at + 42, true);
      const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
      return {
        method: view.getUint16(at + 10, true),
        data: new Uint8Array(buffer, start, view.getUint32(at + 20, true)),
        size: view.getUint32(at + 24, true),
      };
    }
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  throw new Error(`the archive has no ${wanted}`);
}

function parseNPY(bytes) {
  const view = new DataView(bytes.buffer);
  if (view.getUint32(0) !== 0x934e554d) throw new Error('depth.npy is not a NumPy array');
  const [start, length] = bytes[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const head = new TextDecoder().decode(bytes.subarray(start, start + length));
  const shape = /'shape':\s*\((\d+),\s*(\d+),?\)/.exec(head);
  if (!shape || !/'descr':\s*'<f4'/.test(head) || !/'fortran_order':\s*False/.test(head)) {
    throw new Error(`depth.npy is not a float32 map: ${head.trim()}`);
  }
  const height = Number(shape[1]), width = Number(shape[2]);
  return {width, height, values: new Float32Array(bytes.buffer, start + length, width * height)};
}
