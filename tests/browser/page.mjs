// What a person does in a window, and what must hold in every one: no error in the console, nothing that the policy refuses, no axe finding.
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';

const require = createRequire(new URL('../../web/package.json', import.meta.url));
export const {chromium} = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

export class Person {
  constructor(page, name, server) {
    Object.assign(this, {page, name, server, password: 'password of ' + name, errors: []});
    page.on('pageerror', error => this.errors.push('exception: ' + error.message));
    page.on('console', message => {
      // A connection that is refused while the server is down is said by the browser itself.
      if (message.type() === 'error' && !/ERR_CONNECTION_REFUSED|WebSocket connection to|status of 4(01|22)|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED/.test(message.text())) this.errors.push('console: ' + message.text());
    });
    page.setDefaultTimeout(20000);
  }
  async open() { await this.page.goto(this.server.url + '/'); }
  async signUp() {
    await this.page.getByRole('button', {name: 'Create account'}).first().click();
    await this.page.getByLabel('Your name').fill(this.name[0].toUpperCase() + this.name.slice(1));
    await this.page.getByLabel('Username').fill(this.name);
    await this.page.getByLabel('Password').fill(this.password);
    await this.page.locator('button[type=submit]').click();
    await this.page.getByRole('navigation', {name: 'Rooms'}).waitFor();
    await this.page.locator('.me small', {hasNotText: 'Connecting'}).waitFor();
  }
  async signIn() {
    await this.page.getByLabel('Username').fill(this.name);
    await this.page.getByLabel('Password').fill(this.password);
    await this.page.locator('button[type=submit]').click();
    await this.page.getByRole('navigation', {name: 'Rooms'}).waitFor();
  }
  field() { return this.page.locator('.composer textarea'); }
  async write(text) {
    await this.field().fill(text);
    await this.field().press('Enter');
  }
  message(text) { return this.page.locator('article.msg', {hasText: text}).first(); }
  async sees(text) { await this.message(text).waitFor(); }
  async goTo(room) { await this.page.getByRole('navigation', {name: 'Rooms'}).getByRole('link', {name: new RegExp(room)}).first().click(); await this.page.locator('.bar h1', {hasText: room}).waitFor(); }
  async tool(text, label) {
    const message = this.message(text);
    await message.scrollIntoViewIfNeeded();
    await message.hover();
    await message.getByRole('toolbar').getByRole('button', {name: label, exact: true}).click();
  }
  async axe(where) {
    // Through the protocol, so that the page's own policy stays as it is.
    await this.page.evaluate(axe);
    const found = await this.page.evaluate(() => window.axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}));
    if (found.violations.length) throw new Error(`axe on ${where}: ` + found.violations.map(v => `${v.id} (${v.nodes.slice(0, 3).map(n => n.target.join(' ') + ': ' + n.failureSummary.split('\n').slice(1, 2)).join('; ')})`).join(', '));
  }
}
