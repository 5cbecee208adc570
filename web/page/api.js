// The HTTP API, and its errors in words.

// ApiError is an answer that was no success. retryAfter is in seconds; undefined
// where trying the same again would not help.
export class ApiError extends Error {
  constructor(message, retryAfter) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

// get fetches JSON; other statuses than 200 come back too, with their body.
export async function get(path) {
  let response;
  try {
    response = await fetch(path, {signal: AbortSignal.timeout(5000)});
  } catch {
    throw new ApiError('The service does not answer.', 0);
  }
  const body = await response.json().catch(() => null);
  if (body === null) throw new ApiError(`${path} answered ${response.status} without JSON.`, 0);
  return {ok: response.ok, body};
}

// estimate sends a picture. It uses XMLHttpRequest because fetch cannot tell how
// much has been sent, and a phone's photo takes a while. progress is called with
// 'send' or 'receive', the bytes so far and the bytes in all (0: unknown).
export function estimate(file, {accept, fields, signal, progress = () => {}}) {
  const form = new FormData();
  for (const [name, value] of Object.entries({orient: 'true', ...fields})) form.append(name, value);
  form.append('image', file);
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const request = new XMLHttpRequest();
    request.open('POST', 'v1/depth/estimate');
    request.responseType = 'arraybuffer';
    request.setRequestHeader('Accept', accept);
    request.upload.onprogress = e => progress('send', e.loaded, e.total);
    request.onprogress = e => progress('receive', e.loaded, e.lengthComputable ? e.total : 0);
    request.onerror = () => reject(new ApiError('The connection broke: the service is away, or it refused the upload.', 0));
    request.onabort = () => reject(new DOMException('cancelled', 'AbortError'));
    request.onload = () => {
      if (request.status !== 200) return reject(refusal(request));
      resolve({
        bytes: request.response,
        milliseconds: performance.now() - began,
        header: name => request.getResponseHeader(name) ?? '',
      });
    };
    signal.addEventListener('abort', () => request.abort());
    request.send(form);
  });
}

function refusal(request) {
  let message = `The service answered ${request.status} ${request.statusText}.`;
  try {
    message = sentence(JSON.parse(new TextDecoder().decode(request.response)).error.message);
  } catch {
    // Something between us and the service answered; the status has to do.
  }
  const {status} = request;
  if (status < 500 && status !== 408 && status !== 429) return new ApiError(message);
  const seconds = Number.parseInt(request.getResponseHeader('Retry-After') ?? '', 10);
  return new ApiError(message, Number.isFinite(seconds) ? seconds : 0);
}

const sentence = text => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');
