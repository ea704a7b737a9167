// The address in the settings, and the places that a mail leads to; with a real SMTP server, tests/support/smtp_sink.py.
import {spawn} from 'node:child_process';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';
import {Person} from './page.mjs';
import {Server} from './server.mjs';

class Sink {
  constructor() {
    this.mails = [];
    this.process = spawn('/usr/bin/python3', [fileURLToPath(new URL('../support/smtp_sink.py', import.meta.url))], {stdio: ['pipe', 'pipe', 'inherit']});
    this.address = new Promise((resolve, reject) => {
      this.process.once('exit', code => reject(new Error(`the SMTP server ended with ${code}; is python3-aiosmtpd installed?`)));
      createInterface({input: this.process.stdout}).on('line', line => {
        if (line.startsWith('smtp://')) return resolve(line);
        this.mails.push(JSON.parse(line));
        this.came?.();
      });
    });
  }
  /** The address behind `#/NAME/` in the newest mail, once there are `count`. */
  async link(count, name) {
    for (const end = Date.now() + 20000; this.mails.length < count;) {
      if (Date.now() > end) throw new Error(`only ${this.mails.length} of ${count} mails came`);
      await new Promise(resolve => { this.came = resolve; setTimeout(resolve, 500); });
    }
    return new RegExp(`http\\S+#/${name}/\\S+`).exec(this.mails[count - 1].text)[0];
  }
  end() { this.process.stdin.end(); }
}

export async function mail({test, browser, binary, people, check, shoot, accessible}) {
  const sink = new Sink();
  const server = new Server(binary, ['--set', 'smtp.url=' + await sink.address, '--set', 'smtp.from=Loggia <chat@example.org>']);
  const bare = new Server(binary);
  const window = async (name, at) => {
    const context = await browser.newContext({viewport: {width: 1440, height: 900}, locale: 'en-GB', reducedMotion: 'reduce'});
    const person = new Person(await context.newPage(), name, at);
    people.push(person);
    await person.open();
    return person;
  };
  try {
    await server.start();
    await bare.start();
    const cid = await window('cid', server), page = cid.page, address = 'cid@mail.example';
    const settings = async () => { await page.getByRole('button', {name: 'Settings'}).click(); await page.getByRole('heading', {name: 'Mail address'}).waitFor(); };

    await test('an address is named in the settings, and confirmed by the link of a mail', async () => {
      await cid.signUp();
      await settings();
      await page.locator('.state-line', {hasText: 'None yet'}).waitFor();
      await page.getByRole('textbox', {name: /^Mail address/}).fill(address);
      await page.getByRole('button', {name: 'Save address'}).click();
      await page.locator('.toast', {hasText: 'A mail with a link is on its way'}).waitFor();
      await page.locator('.state-line', {hasText: 'Not confirmed yet'}).waitFor();
      await page.getByRole('heading', {name: 'Mail address'}).scrollIntoViewIfNeeded();
      await accessible(cid, 'an address that is not confirmed');
      await shoot(cid, 'address');
      await page.getByRole('button', {name: 'Send the mail again'}).click();
      await page.locator('.toast', {hasText: 'Sent'}).waitFor();
      const older = await sink.link(1, 'verify'), link = await sink.link(2, 'verify');
      await page.goto(older);
      await page.getByRole('heading', {name: 'The address is not confirmed'}).waitFor();
      await accessible(cid, 'a link that is not good any more');
      await page.goto(link);
      await page.getByRole('heading', {name: 'Your address is confirmed'}).waitFor();
      await accessible(cid, 'confirmed');
      await shoot(cid, 'verify');
      await page.getByRole('button', {name: 'Go on'}).click();
      await page.locator('.state-line', {hasText: 'Confirmed: mail comes to ' + address}).waitFor();
    });
    await test('mail is switched on, and stays so over a reload', async () => {
      await page.getByLabel('Mail while I am away').check();
      await page.locator('.toast', {hasText: 'Saved'}).waitFor();
      await page.reload();
      await page.getByLabel('Mail while I am away').waitFor();
      check(await page.getByLabel('Mail while I am away').isChecked(), 'the switch is off again');
      await page.getByLabel('Mail while I am away').scrollIntoViewIfNeeded();
      const before = page.viewportSize();
      await page.setViewportSize({width: 390, height: 844});
      const widths = await page.locator('.tick-line input').evaluateAll(all => all.map(one => one.getBoundingClientRect().width));
      await page.setViewportSize(before);
      check(widths.length > 2 && new Set(widths).size === 1, 'a long line makes its box smaller: ' + widths);
      await shoot(cid, 'mail-switch');
    });
    await test('an address that is none is told beside the field', async () => {
      await page.getByRole('textbox', {name: /^Mail address/}).fill('a"b@example.org');
      await page.evaluate(() => { document.querySelector('input[name=email]').form.noValidate = true; });   // what a browser lets pass differs
      await page.getByRole('button', {name: 'Save address'}).click();
      await page.locator('#wrong-address', {hasText: 'It is no mail address.'}).waitFor();
    });
    await test('a forgotten password is chosen anew by a mail', async () => {
      await page.getByRole('button', {name: 'Sign out here'}).click();
      await page.getByLabel('Username').fill(address);
      await page.getByRole('button', {name: 'Forgot your password?'}).click();
      await page.getByRole('heading', {name: 'A new password'}).waitFor();
      check(await page.getByRole('textbox', {name: /^Mail address/}).inputValue() === address, 'what was typed is not kept');
      await accessible(cid, 'forgotten');
      await shoot(cid, 'forgot');
      await page.getByRole('button', {name: 'Send the link'}).click();
      await page.getByRole('heading', {name: 'Look into your mail'}).waitFor();
      await accessible(cid, 'a mail is on its way');
      const link = await sink.link(3, 'reset');
      await page.goto(link);
      await page.getByLabel('New password').fill('a password of today');
      await accessible(cid, 'a new password');
      await shoot(cid, 'reset');
      await page.getByRole('button', {name: 'Change password'}).click();
      await page.getByRole('heading', {name: 'Your password is changed'}).waitFor();
      await accessible(cid, 'changed');
      await page.getByRole('button', {name: 'Go to the way in'}).click();
      await page.getByLabel('Username').fill(address);
      await page.getByLabel('Password').fill('a password of today');
      await page.locator('button[type=submit]').click();
      await page.getByRole('navigation', {name: 'Rooms'}).waitFor();
      await page.goto(link);
      await page.getByLabel('New password').fill('a password of tomorrow');
      await page.getByRole('button', {name: 'Change password'}).click();
      await page.getByRole('heading', {name: 'This link is not good any more'}).waitFor();
      await accessible(cid, 'a stale link');
      check(!(await page.content()).includes(link.split('/').pop()), 'the token stands on the page');
    });
    await test('where no mail is sent, that is said in place of a promise', async () => {
      const dan = await window('dan', bare);
      await dan.page.getByRole('button', {name: 'Forgot your password?'}).click();
      await dan.page.locator('.demo', {hasText: 'This server sends no mail.'}).waitFor();
      check(await dan.page.getByRole('button', {name: 'Send the link'}).isDisabled(), 'a link is promised');
      await accessible(dan, 'no mail');
      await shoot(dan, 'no-mail');
    });
  } finally {
    await server.discard();
    await bare.discard();
    sink.end();
  }
}
