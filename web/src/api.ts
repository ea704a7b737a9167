// HTTP. The access token is in memory only; the refresh token is a cookie that scripts cannot read. Tabs take turns to refresh (a Web
// Lock), since each refresh token works once.
import type {Problem} from './types';

export class ApiError extends Error {
  constructor(readonly problem: Problem) { super(problem.detail); }
}

interface Session { user: {id: string; username: string}; access_token: string; expires_in: number }

let token = '', expires = 0;
export const accessToken = () => token;

/** Set by the page: what is to happen when nobody is signed in any more. */
export const onSignedOut: {call: () => void} = {call: () => {}};

function keep(session: Session): Session {
  token = session.access_token;
  expires = Date.now() + session.expires_in * 1000;
  return session;
}
export function forget(): void { token = ''; expires = 0; }

async function send(method: string, path: string, body: unknown, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch('/api/v1' + path, {
      method, headers: body === undefined ? headers : {...headers, 'Content-Type': 'application/json'},
      body: body === undefined ? undefined : JSON.stringify(body), credentials: 'same-origin', cache: 'no-store',
    });
  } catch {
    throw new ApiError({code: 'offline', detail: 'The server cannot be reached. Check the connection and try again.', retry: true});
  }
}

async function read(response: Response): Promise<any> {
  const text = await response.text();
  const json = text && response.headers.get('Content-Type')?.includes('json') ? JSON.parse(text) : undefined;
  if (response.ok) return json;
  const after = Number(response.headers.get('Retry-After')) || undefined;
  throw new ApiError({
    code: json?.code ?? 'internal', detail: json?.detail ?? `The server answered ${response.status}.`, status: response.status,
    retry: response.status === 429 || response.status >= 500, retry_after: after, errors: json?.errors,
  });
}

/** Also where the page is not a secure context, as in a lab over plain HTTP. */
export function uuid(): string {
  const hex = [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-a$4-$5');
}

export async function signIn(login: string, password: string): Promise<Session> {
  return keep(await read(await send('POST', '/auth/login', {login, password, cookie: true}, {})));
}
export async function signUp(username: string, password: string, display_name?: string): Promise<Session> {
  return keep(await read(await send('POST', '/auth/register', {username, password, cookie: true, ...(display_name ? {display_name} : {})}, {})));
}

/** Where nobody needs to be signed in: a mail's token is the proof. */
export const ask = async (path: string, body: unknown): Promise<void> => { await read(await send('POST', path, body, {})); };

// The key of a refresh whose answer never came, also over a reload: the same key gets the same token again, where a second use of the
// old token under another key would end the session.
const keyPlace = 'loggia-refresh';
function refreshKey(): string {
  try {
    const kept = JSON.parse(localStorage.getItem(keyPlace) ?? '') as {key: string; at: number};
    if (Date.now() - kept.at < 50000) return kept.key;
  } catch { /* none */ }
  const key = uuid();
  localStorage.setItem(keyPlace, JSON.stringify({key, at: Date.now()}));
  return key;
}
async function refreshOnce(): Promise<Session> {
  const response = await send('POST', '/auth/refresh', {}, {'Idempotency-Key': refreshKey()});
  if (response.status < 500) localStorage.removeItem(keyPlace);
  return keep(await read(response));
}
let going: Promise<Session> | undefined;
/** A fresh token by the cookie. Tabs take turns; within one, who asks meanwhile gets the same answer. */
export function refresh(): Promise<Session> {
  const turn = async (): Promise<Session> => navigator.locks ? await navigator.locks.request('loggia-refresh', refreshOnce) : await refreshOnce();
  return going ??= turn().finally(() => { going = undefined; });
}

/** Rejects when the server cannot be reached: then nobody was signed out. */
export async function signOut(): Promise<void> {
  const response = await send('POST', '/auth/logout', {}, token ? {Authorization: 'Bearer ' + token} : {});
  if (response.status !== 401) await read(response);
  forget();
}

/** A token that holds for a while; `force` where the server has refused the one there is. */
export async function goodToken(force = false): Promise<string> {
  if (force || !token || Date.now() > expires - 5000) await refreshed();
  return token;
}

export async function call<T = any>(method: string, path: string, body?: unknown): Promise<T> {
  await goodToken();
  let response = await send(method, path, body, {Authorization: 'Bearer ' + token});
  if (response.status === 401) {
    await refreshed();
    response = await send(method, path, body, {Authorization: 'Bearer ' + token});
  }
  return read(response);
}

async function refreshed(): Promise<void> {
  try { await refresh(); } catch (problem) {
    if (problem instanceof ApiError && problem.problem.status === 401) { forget(); onSignedOut.call(); }
    throw problem;
  }
}
export const get = <T = any>(path: string) => call<T>('GET', path);
export const post = <T = any>(path: string, body: unknown = {}) => call<T>('POST', path, body);
export const put = <T = any>(path: string, body?: unknown) => call<T>('PUT', path, body);
export const patch = <T = any>(path: string, body: unknown) => call<T>('PATCH', path, body);
export const del = <T = any>(path: string) => call<T>('DELETE', path);
export const quoted = encodeURIComponent;
