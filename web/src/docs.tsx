// /docs: the description of the API, to read and try. Made from /openapi.json and /asyncapi.json alone.
import {render, type VNode} from 'preact';
import {useEffect, useState} from 'preact/hooks';
import './tokens.css';
import './base.css';
import './app.css';
import {Events} from './events';
import {Fold, Named, Prose, Schema, resolved, words} from './schema';

interface Parameter { name: string; in: 'path' | 'query' | 'header' | 'cookie'; required?: boolean; schema?: any; description?: string }
interface Operation { operationId?: string; summary?: string; tags?: string[]; parameters?: Parameter[]; requestBody?: any; responses?: Record<string, any>; security?: any[] }
interface Description { info: {title: string; version: string; description?: string}; servers?: {url: string}[]; paths: Record<string, Record<string, Operation>>; components?: {schemas?: Record<string, any>} }
const verbs = ['get', 'post', 'put', 'patch', 'delete'];

/** A value of the shape that a schema asks for, as a start for the form. */
export function sample(schema: any, all: Description, depth = 0): any {
  if (!schema || depth > 6) return null;
  if (schema.$ref) return sample(resolved(schema, all), all, depth + 1);
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
  const body = operation.requestBody?.content?.['application/json']?.schema;
  const answers = Object.entries(operation.responses ?? {}).map(([status, one]) => [status, resolved(one, all)]).map(([status, one]) => ({status, says: one.description, schema: Object.values<any>(one.content ?? {})[0]?.schema}));
  const told = (one: {status: string; schema: any}): boolean => one.status >= '400' && one.schema?.$ref, problems = new Set(answers.filter(told).map(one => one.schema.$ref));   // said once
  return <Fold sign={verb.toUpperCase()} kind={verb} name={path} says={operation.summary} below={() => <>
    {body && <><b>Body</b><Schema schema={body} all={all} /></>}
    {answers.map(one => <><p><b>{one.status}</b> {words(one.says ?? '')}</p>{one.schema && !told(one) && <Schema schema={one.schema} all={all} />}</>)}
    {[...problems].map(reference => <Named says="What went wrong is said by a" reference={reference} all={all} />)}
    <Try path={path} verb={verb} operation={operation} all={all} token={token} />
  </>} />;
}

function Requests({all}: {all: Description}): VNode {
  const [token, setToken] = useState(''), tags = new Map<string, [string, string, Operation][]>();
  for (const [path, item] of Object.entries(all.paths)) for (const verb of verbs) {
    const operation = item[verb];
    if (!operation) continue;
    const tag = operation.tags?.[0] ?? 'other';
    tags.set(tag, [...tags.get(tag) ?? [], [path, verb, operation]]);
  }
  return <>
    <label class="field-l">Access token, for trying<input class="input" value={token} onInput={e => setToken(e.currentTarget.value.trim())} placeholder="From POST /auth/login" autocomplete="off" spellcheck={false} /></label>
    {[...tags].map(([tag, list]) => <section class="stack" key={tag}><h2>{tag}</h2>{list.map(([path, verb, operation]) => <One key={verb + path} path={path} verb={verb} operation={operation} all={all} token={token} />)}</section>)}
  </>;
}

const views = [['requests', 'Requests', 'openapi'], ['events', 'Events and frames', 'asyncapi']] as const;
/** The place behind # says which of the two: #events, or #events/CHANNEL. */
const viewNow = () => views.find(([place]) => location.hash.slice(1).split('/')[0] === place) ?? views[0];

function Docs(): VNode {
  const [[place, , file], setView] = useState(viewNow), [read, setRead] = useState<Record<string, any>>({}), [wrong, setWrong] = useState(false);
  const all = read[file];
  useEffect(() => {
    const turn = () => setView(viewNow());
    addEventListener('hashchange', turn);
    return () => removeEventListener('hashchange', turn);
  }, []);
  useEffect(() => {
    if (!all) fetch(`/${file}.json`).then(r => r.json()).then(one => setRead(before => ({...before, [file]: one})), () => setWrong(true));
    else document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();   // it was not there when the page came
  }, [file, all]);
  return <main class="docs">
    <h1>{all?.info.title ?? 'The API'}</h1>
    <nav class="seg" aria-label="What the API consists of">{views.map(([to, name]) => <a key={to} href={'#' + to} class={to === place ? 'on' : ''} aria-current={to === place ? 'page' : undefined}>{name}</a>)}</nav>
    {wrong ? <p role="alert">The description did not load. Reload the page.</p> : !all ? <p role="status">Loading</p> : <>
      <p>Version {all.info.version}. The same as <a href={`./${file}.json`}>{file}.json</a> and <a href={`./${file}.yaml`}>{file}.yaml</a>. <a href="./">Back to the chat</a></p>
      <Prose text={all.info.description} />
      {file === 'openapi' ? <Requests all={all} /> : <Events all={all} />}
    </>}
  </main>;
}
render(<Docs />, document.getElementById('docs')!);
