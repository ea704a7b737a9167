// Two windows on the real executable in a real Chromium: node tests/browser/run.mjs build/release/loggia
import {mkdirSync} from 'node:fs';
import {resolve} from 'node:path';
import {docs} from './docs.mjs';
import {chromium, Person} from './page.mjs';
import {mail} from './mail.mjs';
import {leaving, rooms} from './rooms.mjs';
import {Server} from './server.mjs';

const binary = resolve(process.argv[2] ?? 'build/release/loggia');
const shots = resolve(process.env.LOGGIA_SHOTS ?? 'build/shots');
mkdirSync(shots, {recursive: true});
const server = new Server(binary);
const browser = await chromium.launch({executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']});
let passed = 0, failed = 0;

async function test(name, work) {
  const began = Date.now();
  try {
    await work();
    passed++;
    console.log(`ok      ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } catch (problem) {
    failed++;
    console.log(`FAILED  ${name}\n${problem.stack}`);
    for (const p of people) await p.page.screenshot({path: `${shots}/failed-${failed}-${p.name}.png`}).catch(() => {});
  }
}

const people = [];
async function window(name, options = {}) {
  const context = await browser.newContext({viewport: {width: 1440, height: 900}, locale: 'en-GB', reducedMotion: 'reduce', ...options});
  await context.grantPermissions(['clipboard-read', 'clipboard-write']).catch(() => {});
  const person = new Person(await context.newPage(), name, server);
  people.push(person);
  await person.open();
  return person;
}
function check(fine, what) { if (!fine) throw new Error(what); }
async function shoot(person, name) {
  for (const [width, height] of [[1440, 900], [390, 844]])
    for (const scheme of ['light', 'dark']) {
      await person.page.setViewportSize({width, height});
      await person.page.emulateMedia({colorScheme: scheme, reducedMotion: 'reduce'});
      await person.page.screenshot({path: `${shots}/${name}-${width}-${scheme}.png`});
    }
  await person.page.setViewportSize({width: 1440, height: 900});
  await person.page.emulateMedia({colorScheme: 'light', reducedMotion: 'reduce'});
}
async function accessible(person, name) {
  for (const scheme of ['light', 'dark']) {
    await person.page.emulateMedia({colorScheme: scheme, reducedMotion: 'reduce'});
    await person.axe(`${name}, ${scheme}`);
  }
  await person.page.emulateMedia({colorScheme: 'light', reducedMotion: 'reduce'});
}

try {
  await server.start();
  const ada = await window('ada'), bob = await window('bob');

  await test('the way in is accessible, and two people make accounts', async () => {
    await accessible(ada, 'sign in');
    await shoot(ada, 'sign-in');
    await ada.signUp();
    await bob.signUp();
  });
  await test('a wrong password is told beside the field', async () => {
    const eve = await window('eve');
    await eve.page.getByLabel('Username').fill('ada');
    await eve.page.getByLabel('Password').fill('not her password');
    await eve.page.locator('button[type=submit]').click();
    await eve.page.locator('.help.bad', {hasText: 'do not go together'}).waitFor();
    await eve.page.context().close();
    people.pop();
  });
  await test('a room is created with somebody in it, who sees it at once', async () => {
    await ada.page.getByRole('navigation', {name: 'Rooms'}).getByRole('button', {name: 'Create a room'}).click();
    await ada.page.getByLabel('Name').first().fill('Event-driven');
    await ada.page.getByLabel('What it is for').fill('Logs, partitions, and what exactly once can mean');
    await ada.page.getByLabel('Find people').fill('bob');
    await ada.page.locator('.picker .hit', {hasText: 'Bob'}).click();
    await accessible(ada, 'create a room');
    await ada.page.getByRole('button', {name: 'Create room with 1'}).click();
    await ada.page.locator('.bar h1', {hasText: 'Event-driven'}).waitFor();
    await bob.goTo('Event-driven');
  });
  await test('messages, typing and receipts go both ways', async () => {
    await ada.field().pressSequentially('Is anybody here?', {delay: 5});
    await bob.page.locator('.typing', {hasText: 'Ada is typing'}).waitFor();
    await ada.field().press('Enter');
    await bob.sees('Is anybody here?');
    await bob.write('I am. **Bold**, `code` and @ada, too');
    await ada.sees('I am.');
    await ada.page.locator('article.msg strong', {hasText: 'Bold'}).waitFor();
    await ada.page.locator('article.is-for-me .mention', {hasText: 'Ada'}).waitFor();
    await bob.page.bringToFront();
    await ada.write('Then read this');
    await bob.sees('Then read this');
    await ada.page.locator('.seen-line', {hasText: 'Read by Bob'}).waitFor();
  });
  await test('markdown stays text where it is not ours', async () => {
    await ada.write('<img src=x onerror=alert(1)> [link](javascript:alert(1))');
    await bob.sees('<img src=x onerror=alert(1)>');
    check(await bob.page.locator('article.msg img').count() === 0 && await bob.page.locator('article.msg a[href^="javascript"]').count() === 0, 'markup came through');
  });
  await test('edit, reaction, reply, deletion arrive live', async () => {
    await ada.page.bringToFront();
    await ada.field().fill('');
    await ada.write('A mistkae');
    await bob.sees('A mistkae');
    await ada.field().press('ArrowUp');
    await ada.field().fill('A mistake');
    await ada.field().press('Enter');
    await bob.page.locator('article.msg', {hasText: 'A mistake'}).locator('.edited').waitFor();
    await bob.page.bringToFront();
    await bob.tool('A mistake', 'React');
    await bob.page.getByRole('button', {name: '👍'}).first().click();
    await ada.page.locator('article.msg', {hasText: 'A mistake'}).locator('.react', {hasText: '1'}).waitFor();
    await bob.tool('A mistake', 'Reply');
    await bob.write('It happens');
    await ada.page.locator('article.msg', {hasText: 'It happens'}).locator('.quote', {hasText: 'A mistake'}).waitFor();
    await ada.page.bringToFront();
    await ada.write('To be forgotten');
    await bob.sees('To be forgotten');
    await ada.tool('To be forgotten', 'More');
    await ada.page.locator('.menu').getByRole('button', {name: 'Delete'}).click();
    await bob.page.locator('.gone', {hasText: 'Ada deleted a message'}).waitFor();
  });
  await test('presence shows who is here', async () => {
    await ada.page.getByRole('button', {name: /members/}).click();
    await ada.page.locator('.member', {hasText: 'Bob'}).locator('.presence.online').waitFor();
    await accessible(ada, 'members');
    await shoot(ada, 'members');
    await ada.page.getByRole('button', {name: 'Close members'}).click();
  });
  await test('a conversation is accessible, wide and narrow, light and dark', async () => {
    await accessible(ada, 'conversation');
    await shoot(ada, 'conversation');
    await ada.page.setViewportSize({width: 320, height: 640});
    check(await ada.page.evaluate(() => document.documentElement.scrollWidth <= 320), 'a narrow page scrolls sideways');
    await ada.page.setViewportSize({width: 1440, height: 900});
  });
  await test('a person is found with Ctrl K, and written to', async () => {
    await bob.page.bringToFront();
    await bob.page.keyboard.press('Control+k');
    await bob.page.getByRole('combobox').fill('ada');
    await bob.page.locator('.switcher .hit', {hasText: 'Ada'}).first().waitFor();
    await accessible(bob, 'switcher');
    await shoot(bob, 'switcher');
    await bob.page.getByRole('combobox').press('Enter');
    await bob.page.locator('.bar h1', {hasText: 'Ada'}).waitFor();
    await bob.write('Just between us');
    await ada.page.getByRole('link', {name: /Bob/}).locator('.badge.mention', {hasText: '1'}).waitFor();
    check((await ada.page.title()).startsWith('(1)'), 'the title does not say that one waits');
    await ada.goTo('Bob');
    await ada.sees('Just between us');
  });
  await test('notifications say who and why', async () => {
    await ada.page.getByRole('button', {name: /^Notifications/}).click();
    await ada.page.locator('.note', {hasText: 'mentioned you in Event-driven'}).waitFor();
    await ada.page.locator('.note', {hasText: 'mentioned you'}).getByRole('button', {name: 'Why was I notified?'}).click();
    await ada.page.locator('.why li').first().waitFor();
    await accessible(ada, 'notifications');
    await shoot(ada, 'notifications');
  });
  await test('settings are accessible, and a changed name is seen by others', async () => {
    await ada.page.getByRole('button', {name: 'Settings'}).click();
    await ada.page.locator('.page-in', {hasText: 'This browser'}).waitFor();
    await accessible(ada, 'settings');
    await shoot(ada, 'settings');
    await ada.page.getByLabel('Status').fill('In the library');
    await ada.page.getByRole('button', {name: 'Save profile'}).click();
    await ada.page.locator('.toast', {hasText: 'Saved'}).waitFor();
  });
  await rooms({test, ada, bob, check, shoot, accessible});
  await test('the server is killed and comes back: nothing is lost, what waited goes out, also over a reload', async () => {
    await ada.goTo('Event-driven');
    await bob.goTo('Event-driven');
    await server.end('SIGKILL');
    await ada.page.locator('.banner.wait').waitFor();
    await ada.write('Written while nobody was there');
    await ada.page.locator('.state', {hasText: 'Waits for the connection'}).waitFor();
    await shoot(ada, 'offline');
    await server.start();
    await ada.page.getByRole('button', {name: 'Try now'}).click().catch(() => {});
    await bob.sees('Written while nobody was there');
    await ada.page.locator('.state.late').waitFor({state: 'detached'});
    await server.end('SIGKILL');
    await ada.page.locator('.banner.wait').waitFor();
    await ada.write('Survives a reload');
    await ada.page.locator('.state', {hasText: 'Waits for the connection'}).waitFor();
    await server.start();
    await ada.page.reload();
    await bob.sees('Survives a reload');
    for (const text of ['Is anybody here?', 'Written while nobody was there', 'Survives a reload'])
      check(await bob.page.locator('article.msg', {hasText: text}).count() === 1, `"${text}" is not there exactly once`);
  });
  await leaving({test, ada, bob});
  await docs({test, bob, check, shoot, accessible, server});
  await mail({test, browser, binary, people, check, shoot, accessible});
  await test('no window had an error, and the policy refused nothing', async () => {
    const errors = people.flatMap(p => p.errors.map(e => `${p.name}: ${e}`));
    check(errors.length === 0, errors.join('\n'));
  });
} catch (problem) {
  failed++;
  console.log('FAILED  ' + problem.stack);
} finally {
  if (failed) console.log('log of the server:\n' + server.log.slice(-4000));
  await browser.close();
  await server.discard();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
