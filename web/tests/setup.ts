// The few things of a browser that the modules under test touch while they load.
const kept = new Map<string, string>();
Object.assign(globalThis, {
  localStorage: {getItem: (k: string) => kept.get(k) ?? null, setItem: (k: string, v: string) => kept.set(k, v), removeItem: (k: string) => kept.delete(k)},
  location: {hash: '', host: 'localhost', protocol: 'http:'},
});
export {};
