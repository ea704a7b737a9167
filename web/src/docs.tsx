// /docs: the description of the API, to read and try. Made from /openapi.json alone.
import {render, type VNode} from 'preact';
import {useEffect, useState} from 'preact/hooks';
import './tokens.css';
import './base.css';
import './app.css';

interface Parameter { name: string; in: 'path' | 'query' | 'header' | 'cookie'; required?: boolean; schema?: any; description?: string }
interface Operation { operationId?: string; summary?: string; tags?: string[]; parameters?: Parameter[]; requestBody?: any; responses?: Record<string, any>; security?: any[] }
interface Description { info: {title: string; version: string; description?: string}; servers?: {url: string}[]; paths: Record<string, Record<string, Operation>>; components?: {schemas?: Record<string, any>} }
const verbs = ['get', 'post', 'put', 'patch', 'delete'];

/** A value of the shape that a schema asks for, as a start for the form. */
export function sample(schema: any, all: Description, depth = 0): any {
  if (!schema || depth > 6) return null;
  if (schema.$ref) return sample(all.components?.schemas?.[schema.$ref.split('/').pop()], all, depth + 1);
  if (schema.enum) return schema.enum[0];
  switch (schema.type) {
    case 'object': return Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([name]) => schema.required?.includes(name)).map(([name, s]) => [name, sample(s, all, depth + 1)]));
    case 'array': return [];
    case 'integer': case 'number': return schema.minimum ?? 0;
    case 'boolean': return false;
    default: return schema.format === 'uuid' ? '00000000-0000-7000-8000-000000000000' : schema.format === 'date-time' ? '2026-01-31T12:00:00.000Z' : '';
  }
}
const shown = (value: unknown): string => JSON.stringify(value, null, 2);

function Try({path, verb, operation, all, token}: {path: string; verb: string; operation: Operation; all: Description; token: string}): VNode {
  const [answer, setAnswer] = useState(''), schema = operation.requestBody?.content?.['application/json']?.schema;
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement), query = new URLSearchParams();
    let target = path;
    for (const p of operation.parameters ?? []) {
      const value = String(data.get(p.name) ?? '');
      if (p.in === 'path') target = target.replace(`{${p.name}}`, encodeURIComponent(value));
      else if (p.in === 'query' && value) query.set(p.name, value);
    }
    const base = all.servers?.[0]?.url ?? '';
    const headers: Record<string, string> = token ? {Authorization: 'Bearer ' + token} : {};
    if (schema) headers['Content-Type'] = 'application/json';
    try {
      const response = await fetch(base.replace(/\/$/, '') + target + (query.size ? '?' + query : ''), {method: verb.toUpperCase(), headers, body: schema ? String(data.get('body')) : undefined, credentials: 'omit'});
      const text = await response.text();
      setAnswer(`${response.status} ${response.statusText}\n` + (text && response.headers.get('Content-Type')?.includes('json') ? shown(JSON.parse(text)) : text));
    } catch { setAnswer('The server cannot be reached.'); }
  }
  return <form class="stack" onSubmit={submit}>
    {(operation.parameters ?? []).filter(p => p.in === 'path' || p.in === 'query').map(p => <label class="field-l" key={p.name}>{p.name}{p.required ? '' : ' (optional)'}<input class="input" name={p.name} required={p.required} /></label>)}
    {schema && <label class="field-l">Body<textarea class="input area" name="body" rows={6} spellcheck={false} defaultValue={shown(sample(schema, all))} /></label>}
    <div class="acts"><button class="btn primary">Send</button></div>
    {answer && <pre tabIndex={0} role="status" aria-label="Answer">{answer}</pre>}
  </form>;
}

function One({path, verb, operation, all, token}: {path: string; verb: string; operation: Operation; all: Description; token: string}): VNode {
  const [open, setOpen] = useState(false), body = operation.requestBody?.content?.['application/json']?.schema;
  return <details onToggle={e => setOpen((e.currentTarget as HTMLDetailsElement).open)}>
    <summary><span class={'verb ' + verb}>{verb.toUpperCase()}</span><code>{path}</code><span>{operation.summary}</span></summary>
    {open && <div class="op">
      {body && <><b>Body</b><pre tabIndex={0}>{shown(body)}</pre></>}
      {Object.entries(operation.responses ?? {}).map(([status, r]) => <div key={status}><b>{status}</b> {r.description}{r.content?.['application/json']?.schema && <pre tabIndex={0}>{shown(r.content['application/json'].schema)}</pre>}</div>)}
      <Try path={path} verb={verb} operation={operation} all={all} token={token} />
    </div>}
  </details>;
}

function Docs(): VNode {
  const [all, setAll] = useState<Description | null>(null), [wrong, setWrong] = useState(false), [token, setToken] = useState('');
  useEffect(() => { fetch('/openapi.json').then(r => r.json()).then(setAll, () => setWrong(true)); }, []);
  if (wrong) return <main class="docs"><h1>The API</h1><p role="alert">The description did not load. Reload the page.</p></main>;
  if (!all) return <main class="docs"><h1>The API</h1><p role="status">Loading</p></main>;
  const tags = new Map<string, [string, string, Operation][]>();
  for (const [path, item] of Object.entries(all.paths)) for (const verb of verbs) {
    const operation = item[verb];
    if (!operation) continue;
    const tag = operation.tags?.[0] ?? 'other';
    tags.set(tag, [...tags.get(tag) ?? [], [path, verb, operation]]);
  }
  return <main class="docs">
    <h1>{all.info.title}</h1>
    <p>Version {all.info.version}. The same as <a href="./openapi.json">openapi.json</a> and <a href="./openapi.yaml">openapi.yaml</a>; events and live frames are in <a href="./asyncapi.yaml">asyncapi.yaml</a>. <a href="./">Back to the chat</a></p>
    <label class="field-l">Access token, for trying<input class="input" value={token} onInput={e => setToken(e.currentTarget.value.trim())} placeholder="From POST /auth/login" autocomplete="off" spellcheck={false} /></label>
    {[...tags].map(([tag, list]) => <section class="stack" key={tag}><h2>{tag}</h2>{list.map(([path, verb, operation]) => <One key={verb + path} path={path} verb={verb} operation={operation} all={all} token={token} />)}</section>)}
  </main>;
}
render(<Docs />, document.getElementById('docs')!);
