// Starts the executable on free loopback ports, kills it, starts it again on the same ones.
import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';

export class Server {
  constructor(binary, flags = []) {
    Object.assign(this, {binary, flags});
    this.home = mkdtempSync(join(tmpdir(), 'loggia-browser-'));
    this.listen = '127.0.0.1:0';
    this.log = '';
  }
  async start() {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LOGGIA_')));
    this.process = spawn(this.binary, ['serve', '--data', join(this.home, 'data'), '--listen', this.listen, '--admin', '127.0.0.1:0', '--set', 'gateway.rate_limit=false', ...this.flags], {env, cwd: this.home, stdio: ['ignore', 'pipe', 'pipe']});
    this.process.stderr.on('data', data => { this.log = (this.log + data).slice(-20000); });
    const exit = new Promise((_, reject) => this.process.once('exit', code => reject(new Error(`loggia exited with ${code} before it was ready\n${this.log}`))));
    const ready = (async () => {
      for await (const line of createInterface({input: this.process.stdout})) {
        const found = /^loggia ready http=http:\/\/(\S+)/.exec(line);
        if (found) return found[1];
      }
      throw new Error('no ready line');
    })();
    exit.catch(() => {});
    this.listen = await Promise.race([ready, exit]);
    this.url = 'http://' + this.listen;
  }
  async end(signal) {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = new Promise(resolve => this.process.once('exit', resolve));
    this.process.kill(signal);
    await gone;
  }
  async discard() {
    await this.end('SIGKILL');
    rmSync(this.home, {recursive: true, force: true});
  }
}
