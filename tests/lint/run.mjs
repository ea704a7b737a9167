// The descriptions that a running server serves, read by linters of others: node tests/lint/run.mjs build/release/loggia
// Spectral for /openapi and /asyncapi, both as .json and as .yaml, and AsyncAPI's own parser for the last. What they warn of fails too.
import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Parser} from '@asyncapi/parser';
import {Server} from '../browser/server.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const spectral = join(here, 'node_modules/@stoplight/spectral-cli/dist/index.js');
if (!existsSync(spectral)) throw new Error('the linters are not installed: (cd tests/lint && npm ci --ignore-scripts)');
const server = new Server(resolve(process.argv[2] ?? 'build/release/loggia'));
const folder = mkdtempSync(join(tmpdir(), 'loggia-lint-'));
const words = ['error', 'warning'];
let failed = 0;

function tell(name, findings) {
  for (const finding of findings.filter(one => one.severity <= 1)) {
    const line = finding.range.start.line + 1;
    console.log(`${name}:${line}: ${words[finding.severity]}: ${finding.message} [${finding.code}] ${finding.path.join('.')}`);
  }
  const bad = findings.filter(finding => finding.severity <= 1).length;
  if (bad) failed++;
  console.log(`${bad ? 'FAILED ' : 'ok     '} ${name}`);
}

function spectrally(file) {
  const done = spawnSync(process.execPath, [spectral, 'lint', '--quiet', '--format', 'json', '--ruleset', join(here, 'rules.yaml'), '--fail-on-unmatched-globs', file],
    {encoding: 'utf8', timeout: 120_000});
  // 0: nothing that fails; 1: findings; anything else: it did not come to an end.
  if (done.error || done.status > 1 || done.status === null) throw new Error(`spectral ended with ${done.status}: ${done.stderr}${done.error ?? ''}`);
  return JSON.parse(done.stdout || '[]');
}

try {
  await server.start();
  for (const name of ['openapi.json', 'openapi.yaml', 'asyncapi.json', 'asyncapi.yaml']) {
    const answer = await fetch(`${server.url}/${name}`);
    if (!answer.ok) throw new Error(`/${name} answers ${answer.status}`);
    const file = join(folder, name);
    writeFileSync(file, await answer.text());
    tell(`${name}, Spectral`, spectrally(file));
  }
  const {document, diagnostics} = await new Parser().parse(readFileSync(join(folder, 'asyncapi.yaml'), 'utf8'));
  tell('asyncapi.yaml, AsyncAPI parser', diagnostics);
  if (!document) throw new Error('the AsyncAPI parser made no document of it');
} catch (problem) {
  failed++;
  console.log('FAILED  ' + problem.stack);
} finally {
  await server.discard();
  rmSync(folder, {recursive: true, force: true});
}
process.exit(failed ? 1 : 0);
