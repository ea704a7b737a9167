// Texts that want to run as a script, in everything that others can write and a person sees, in a real Chromium: nothing runs, nothing is asked for, nothing
// opens. Twice: with the policy that the server sends, and without it, since it is the second wall and not the first.
//   node tests/browser/xss.mjs build/release/loggia [--deep]   100 texts; all of them
import {resolve} from 'node:path';
import {chromium} from './page.mjs';
import {live, payloads as all} from './payloads.mjs';
import {Server} from './server.mjs';

const deep = process.argv.includes('--deep');
const payloads = deep ? all : all.slice(0, 100);
const server = new Server(resolve(process.argv[2] ?? 'build/release/loggia'));
const browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']});
let passed = 0, failed = 0;

async function test(name, work) {
  const began = Date.now();
  try {
    const figures = await work();
    passed++;
    if (figures) console.log('        ' + figures);
    console.log(`ok      ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } catch (problem) {
    failed++;
    console.log(`FAILED  ${name}\n${problem.stack}`);
  }
}

async function call(method, path, body, token) {
  const answer = await fetch(`${server.url}/api/v1${path}`, {method, body: body && JSON.stringify(body),
    headers: {...(body && {'Content-Type': 'application/json'}), ...(token && {Authorization: 'Bearer ' + token})}});
  const text = await answer.text();
  return {status: answer.status, ...(text && {value: JSON.parse(text)})};
}
async function must(...words) {
  const answer = await call(...words);
  if (answer.status >= 300) throw new Error(`${words[0]} ${words[1]}: ${answer.status} ${JSON.stringify(answer.value)}`);
  return answer.value;
}
const password = 'a password for all of them';
async function account(username) {
  const made = await must('POST', '/auth/register', {username, password});
  return {id: made.user.id, username, token: made.access_token};
}

/** What must not happen in a window, gathered while it is open. */
class Watch {
  constructor(context, own) {
    this.seen = [];
    this.own = own;
    context.on('request', request => {
      const url = request.url();
      // What the page asks for is its own, at addresses of its own.
      if (!url.startsWith(own) || /xss|onerror|script:/i.test(decodeURIComponent(url).replace(/[?&]query=.*/, ''))) this.seen.push('asked for ' + url);
    });
    context.on('dialog', dialog => { this.seen.push('dialog ' + dialog.message()); void dialog.dismiss(); });
    context.on('page', page => { if (this.page) this.seen.push('opened ' + page.url()); });
  }
  async open(context) {
    await context.exposeBinding('xss', (_, n) => { this.seen.push('ran ' + n); });
    await context.exposeBinding('refusedByPolicy', (_, what) => { this.seen.push('tried ' + what); });
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', event => window.refusedByPolicy(event.violatedDirective + ' ' + event.blockedURI));
      for (const name of ['alert', 'confirm', 'prompt', 'print']) window[name] = () => window.xss(name);
    });
    this.page = await context.newPage();
    return this.page;
  }
  async quiet(where) {
    // What the parser or a loader would have started has begun by the second frame.
    await this.page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));
    const wrong = await this.page.evaluate(() => {
      const out = [], allowed = /^(https?|mailto):$/;
      for (const e of document.body.querySelectorAll('*')) {
        const tag = e.localName;
        if (['script', 'iframe', 'frame', 'object', 'embed', 'applet', 'link', 'meta', 'base', 'style', 'video', 'audio', 'img', 'image', 'template', 'portal', 'math', 'foreignobject', 'animate', 'set'].includes(tag)) out.push(e.outerHTML.slice(0, 200));
        for (const a of e.attributes)
          if (/^on|^srcdoc$|^formaction$|^action$|^background$|^poster$/i.test(a.name) || (a.name === 'style' && /url|expression/i.test(a.value))) out.push(`${tag} ${a.name}=${a.value}`);
        if (tag === 'a' && !allowed.test(new URL(e.getAttribute('href') ?? '', document.baseURI).protocol)) out.push(`a href=${e.getAttribute('href')}`);
        if (tag === 'use' && !/^#[a-z-]+$/.test(e.getAttribute('href'))) out.push(e.outerHTML);
      }
      return out;
    });
    if (this.page.frames().length !== 1) wrong.push('a frame');
    if (!this.page.url().startsWith(this.own)) wrong.push('the page is ' + this.page.url());
    wrong.push(...this.seen.splice(0));
    if (wrong.length) throw new Error(`${where}: ${wrong.length} wrong: ${wrong.slice(0, 5).join('\n')}`);
  }
}

const each = 40;  // texts in a room, people in a round
const rounds = Array.from({length: Math.ceil(payloads.length / each)}, (_, k) => payloads.slice(k * each, (k + 1) * each));
let reader, mallory, crowd, texts = [], named = [], meeting, own, taken = {name: 0, status_text: 0, bio: 0, room: 0, topic: 0, text: 0};
const skipped = new Set();

async function prepare() {
  [reader, mallory] = [await account('reader'), await account('mallory')];
  crowd = [];
  for (let n = 0; n < Math.min(each, payloads.length); n++) crowd.push(await account('eve' + n));
  meeting = (await must('POST', '/rooms', {name: 'Meeting', visibility: 'private', members: [reader.id, ...crowd.map(one => one.id)]}, mallory.token)).id;
  own = (await must('POST', '/rooms', {name: 'Own', visibility: 'private'}, reader.token)).id;
  for (const one of crowd) await must('POST', `/rooms/${meeting}/messages`, {text: `@reader this is ${one.username}`}, one.token);
  for (let k = 0; k < rounds.length; k++) texts.push((await must('POST', '/rooms', {name: 'Texts ' + k, visibility: 'private', members: [reader.id]}, mallory.token)).id);
  for (const [n, text] of payloads.entries()) {
    // Half of them to be browsed, half with the reader in.
    const room = {visibility: n % 2 ? 'private' : 'public', members: n % 2 ? [reader.id] : []};
    for (const fields of [{name: text, topic: text}, {name: [...text].slice(0, 60).join('').replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, ' '), topic: text}, {name: 'Room ' + n, topic: text}]) {
      const made = await call('POST', '/rooms', {...fields, ...room}, mallory.token);
      if (made.status === 201) {
        taken.room += fields.name !== 'Room ' + n;
        taken.topic++;
        named.push({id: made.value.id, in: n % 2 === 1});
        if (n % 2) await call('POST', `/rooms/${made.value.id}/messages`, {text: '@reader ' + text}, mallory.token);
        break;
      }
    }
  }
}

async function say(k) {
  let before;
  for (const [i, text] of rounds[k].entries()) {
    const made = await call('POST', `/rooms/${texts[k]}/messages`, {text, ...(before && {reply_to: before})}, mallory.token);
    if (made.status === 422) { skipped.add(text); continue; }
    if (made.status !== 201) throw new Error(JSON.stringify(made));
    before = made.value.seq;
    taken.text++;
    if (i % 4 === 0) await must('PUT', `/rooms/${texts[k]}/pins/${before}`, undefined, mallory.token);
  }
  await must('POST', `/rooms/${texts[k]}/messages`, {text: 'the end of these'}, mallory.token);
}
async function pose(k) {
  for (const [i, text] of rounds[k].entries()) {
    const name = [...text].slice(0, 64).join('');
    if ((await call('PATCH', '/users/me', {display_name: name}, crowd[i].token)).status === 200) taken.name++;
    for (const field of ['status_text', 'bio']) if ((await call('PATCH', '/users/me', {[field]: text}, crowd[i].token)).status === 200) taken[field]++;
  }
}

async function signIn(page) {
  await page.goto(server.url + '/');
  await page.getByLabel('Username').fill(reader.username);
  await page.getByLabel('Password').fill(password);
  await page.locator('button[type=submit]').click();
  await page.getByRole('navigation', {name: 'Rooms'}).waitFor();
}
const here = (page, id, pane = '') => page.evaluate(to => { location.hash = to; }, `#/room/${id}${pane}`);
const end = page => page.locator('article.msg', {hasText: 'the end of these'}).waitFor();

async function looking(kind, options) {
  const context = await browser.newContext({viewport: {width: 1440, height: 900}, locale: 'en-GB', reducedMotion: 'reduce', ...options});
  const watch = new Watch(context, server.url), page = await watch.open(context);
  page.setDefaultTimeout(20000 * (Number(process.env.LOGGIA_PATIENCE) || 1));
  await signIn(page);
  await test(`${payloads.length} texts as messages, quotes and pins, ${kind}`, async () => {
    let shown = 0;
    for (const [k, room] of texts.entries()) {
      await here(page, room, '/pins');
      if (!options.bypassCSP) {   // live, then from the history
        await page.locator('.composer textarea').waitFor();
        await say(k);
        await end(page);
        await watch.quiet(`texts ${k}, live`);
        await page.reload();
      }
      await end(page);
      await page.locator('aside.side .msg').first().waitFor();
      shown += await page.locator('.log article.msg').count() - 1;
      await watch.quiet(`texts ${k}`);
    }
    if (shown !== taken.text) throw new Error(`${shown} shown of ${taken.text}`);
    return `${shown} shown as messages; ${skipped.size} refused by the server as no text`;
  });
  await test(`as names, statuses and biographies of people, ${kind}`, async () => {
    let cards = 0;
    for (let k = 0; k < rounds.length; k++) {
      if (!options.bypassCSP) await pose(k);
      else if (k) break;
      await page.evaluate(id => { location.hash = `#/room/${id}/members`; }, meeting);
      await page.reload();
      await page.locator('aside.side .member').nth(crowd.length - 1).waitFor();
      const names = page.locator('.log .name-btn');
      await names.nth(crowd.length - 1).waitFor();
      await watch.quiet(`names ${k}`);
      for (let n = 0; n < crowd.length; n += 5, cards++) {
        await names.nth(n).click();
        await page.locator('dialog .person').waitFor();
        await page.locator('dialog').getByRole('button', {name: /^Write to/}).waitFor();
        await watch.quiet(`card ${n} of names ${k}`);
        await page.keyboard.press('Escape');
        await page.locator('dialog').waitFor({state: 'detached'});
      }
    }
    return `${taken.name} names, ${taken.status_text} statuses and ${taken.bio} biographies that the server took; ${cards} cards opened`;
  });
  await test(`as names and topics of rooms, in the list, browsed, searched and opened, ${kind}`, async () => {
    const mine = named.filter(one => one.in && !one.gone);
    await page.locator('.room').nth(mine.length - 1).waitFor();
    await page.getByRole('button', {name: 'Browse public rooms'}).first().click();
    await page.locator('dialog .hit').first().waitFor();
    const browsed = await page.locator('dialog .hit').count();
    await watch.quiet('public rooms');
    for (const part of ['script', 'img', 'svg', 'on', 'x']) {
      const answer = page.waitForResponse(r => r.url().includes('scope=public'));
      await page.getByLabel('Find a room').fill(part);
      await answer;
      await watch.quiet(`public rooms with ${part}`);
    }
    await page.locator('dialog').getByRole('button', {name: /^Close/}).click();
    await page.locator('dialog').waitFor({state: 'detached'});
    for (const part of ['xss', 'img', 'script']) {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox').fill(part);
      await page.locator('.switcher .hit').first().waitFor();
      await watch.quiet(`searched for ${part}`);
      await page.keyboard.press('Escape');
    }
    let opened = 0;
    for (const one of mine.filter((_, n) => n % (deep ? 5 : 10) === 0)) {
      await here(page, one.id, '/about');
      await page.locator('aside.side').waitFor();
      await page.locator('.log article.msg').first().waitFor();
      opened++;
      await watch.quiet(`room ${opened}`);
    }
    return `${taken.room} names and ${taken.topic} topics that the server took; ${mine.length} in the list, ${browsed} browsed, ${opened} opened`;
  });
  await test(`in notifications and words of the page, ${kind}`, async () => {
    await page.evaluate(() => { location.hash = '#/notifications'; });
    await page.locator('.note').nth(10).waitFor();
    const notes = await page.locator('.note').count();
    await watch.quiet('notifications');
    const lost = named.filter(one => one.in && !one.gone).slice(0, 5);
    for (const one of lost) {
      one.gone = true;
      await here(page, one.id);
      await page.locator('.log article.msg').first().waitFor();
      await must('DELETE', `/rooms/${one.id}/members/${reader.id}`, undefined, mallory.token);
      await page.locator('.toast', {hasText: 'You are not in'}).waitFor();
      await watch.quiet('a toast');
    }
    await here(page, own);
    for (const text of payloads.slice(0, 30)) {   // one's own, before it is acknowledged and after
      await page.locator('.composer textarea').fill(text);
      await page.locator('.composer textarea').press('Enter');
    }
    // Each is acknowledged, or refused and says so.
    await page.waitForFunction(() => [...document.querySelectorAll('.is-sending')].every(one => one.querySelector('.state.bad')));
    await watch.quiet('one’s own');
    return `${notes} notifications, ${lost.length} toasts, ${await page.locator('.log article.msg').count()} of one’s own`;
  });
  await context.close();
}

await test('without a guard these texts do run: the check sees them', async () => {
  const context = await browser.newContext({bypassCSP: true});
  const own = 'http://guardless.test', watch = new Watch(context, own), page = await watch.open(context);
  await context.route('**/*', route => route.request().url() === own + '/' ? route.fulfill({contentType: 'text/html', body: '<!doctype html><body>'}) : route.abort());
  await page.goto(own + '/');
  watch.seen = [];
  await page.evaluate(texts => {
    for (const text of texts) document.body.append(Object.assign(document.createElement('iframe'), {srcdoc: text}));
  }, live);
  let ran = 0, asked = 0;
  for (const end = Date.now() + 60000; Date.now() < end && (ran < 40 || asked < 15); await page.evaluate(() => new Promise(requestAnimationFrame))) {
    ran = new Set(watch.seen.filter(what => /^ran \d/.test(what))).size;
    asked = new Set(watch.seen.map(what => /xss-(\d+)/.exec(what)?.[1]).filter(Boolean)).size;
  }
  await context.close();
  if (ran < 40 || asked < 15) throw new Error(`only ${ran} ran and ${asked} asked for something: ${watch.seen.slice(0, 5)}`);
  return `of ${live.length} texts as HTML of a page, ${ran} and more run by themselves, ${asked} and more ask for something`;
});
try {
  await server.start();
  await prepare();
  await looking('with the policy', {});
  await looking('without it', {bypassCSP: true});
} catch (problem) {
  failed++;
  console.log('FAILED  ' + problem.stack);
} finally {
  if (failed) console.log('log of the server:\n' + server.log.slice(-3000));
  await browser.close();
  await server.discard();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
