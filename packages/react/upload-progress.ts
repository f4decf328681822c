/** Upload progress. `fetch` reports none, so uploads to Storage use XMLHttpRequest. */

const UPLOAD_PATH = '/object/upload/sign/';

export interface UploadProgress {
  /** Path of the upload's URL. It contains the path of the object. */
  path: string;
  /** 0..1 */
  share: number;
}

const listeners = new Set<(progress: UploadProgress) => void>();

/** Calls `listener` with the progress of every upload of this page. Returns a function that ends the subscription. */
export function onUploadProgress(listener: (progress: UploadProgress) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** `fetch`, except that signed uploads report their progress. */
export const fetchWithUploadProgress: typeof fetch = (input, init) => {
  const url = input instanceof Request ? input.url : String(input);
  if (!url.includes(UPLOAD_PATH) || init?.method !== 'PUT') return fetch(input, init);
  return send(url, init);
};

function send(url: string, init: RequestInit): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const path = decodeURIComponent(new URL(url).pathname);
    request.open('PUT', url);
    new Headers(init.headers).forEach((value, name) => request.setRequestHeader(name, value));
    request.upload.onprogress = (event) => {
      if (!event.lengthComputable) return;
      for (const listener of listeners) listener({ path, share: event.loaded / event.total });
    };
    request.onload = () => resolve(new Response(request.responseText, { status: request.status }));
    request.onerror = () => reject(new TypeError('The upload was interrupted.'));
    request.onabort = () => reject(new DOMException('The upload was stopped.', 'AbortError'));
    init.signal?.addEventListener('abort', () => request.abort(), { once: true });
    request.send(init.body as XMLHttpRequestBodyInit);
  });
}
