// What both descriptions at /docs have in common: references, texts, lines that open, and schemas as lists of fields.
import type {ComponentChildren, VNode} from 'preact';
import {useState} from 'preact/hooks';

const deepest = 8;   // a schema may lead back to itself

/** What a reference within the document leads to. */
export function resolved(value: any, all: any): any {
  for (let hops = 0; value?.$ref && hops < deepest; hops++)
    value = value.$ref.slice(2).split('/').reduce((at: any, name: string) => at?.[name.replace(/~1/g, '/').replace(/~0/g, '~')], all);
  return value;
}

export const words = (text: string): ComponentChildren => text.split('`').map((part, at) => at % 2 ? <code>{part}</code> : part);
/** Paragraphs, lists and code: what the descriptions use of Markdown. */
export function Prose({text}: {text: string | undefined}): VNode {
  return <>{(text ?? '').split(/\n\n+/).filter(Boolean).map(block => block.startsWith('- ')
    ? <ul class="listed">{block.slice(2).split('\n- ').map(item => <li>{words(item)}</li>)}</ul> : <p>{words(block)}</p>)}</>;
}

/** A line that opens; what is below is made once it does. */
export function Fold({sign, kind, name, says, below}: {sign: string; kind: string; name: string; says: string | undefined; below: () => ComponentChildren}): VNode {
  const [open, setOpen] = useState(false);
  return <details onToggle={e => setOpen((e.currentTarget as HTMLDetailsElement).open)}>
    <summary><span class={'verb ' + kind}>{sign}</span><code>{name}</code><span>{words(says ?? '')}</span></summary>
    {open && <div class="op">{below()}</div>}
  </details>;
}

/** The type in words: `array of string, uuid`. */
export function typeOf(schema: any, all: any, depth = 0): string {
  const s = resolved(schema, all) ?? {};
  if ('const' in s) return JSON.stringify(s.const);
  if (s.enum) return s.enum.map((one: unknown) => JSON.stringify(one)).join(' or ');
  if (s.type === 'array') return 'array of ' + (depth < deepest ? typeOf(s.items, all, depth + 1) : '…');
  if (typeof s.additionalProperties === 'object') return 'object, each value ' + (depth < deepest ? typeOf(s.additionalProperties, all, depth + 1) : '…');
  return [[s.type ?? (s.properties || s.allOf ? 'object' : 'anything')].flat().join(' or '), s.format].filter(Boolean).join(', ');
}

const shown = new Set(['type', 'format', 'const', 'enum', 'items', 'properties', 'required', 'additionalProperties', 'allOf', 'title', 'description']);
const counted = {Length: ' characters', Items: ' items', Properties: ' entries', imum: ''};
/** What else a value has to keep to. A keyword that is not known here is shown as it is, so that nothing is left out. */
export function rulesOf(s: any): string[] {
  const out: string[] = s.additionalProperties === false ? ['no other fields'] : [];
  for (const [name, unit] of Object.entries(counted)) {
    const most = s['max' + name], least = s['min' + name] || (unit ? undefined : s.minimum);   // a length of at least 0 says nothing
    if (least !== undefined) out.push(most === undefined ? `at least ${least}${unit}` : `${least} to ${most}${unit}`);
    else if (most !== undefined) out.push(`at most ${most}${unit}`);
  }
  for (const [name, value] of Object.entries(s)) if (!shown.has(name) && !/^(min|max)(Length|Items|Properties|imum)$/.test(name)) out.push(`${name} ${JSON.stringify(value)}`);
  return out;
}

/** What has fields: behind lists and maps, the thing that they hold. */
function inside(schema: any, all: any): any {
  let s = resolved(schema, all);
  for (let hops = 0; hops < deepest && s && !s.properties; hops++) {
    const next = s.items ?? (typeof s.additionalProperties === 'object' ? s.additionalProperties : undefined);
    if (!next) break;
    s = resolved(next, all);
  }
  return s;
}

function Field({name, schema, needed, all, depth}: {name: string; schema: any; needed: boolean; all: any; depth: number}): VNode {
  const s = resolved(schema, all) ?? {}, item = s.type === 'array' ? resolved(s.items, all) ?? {} : {};
  const rules = [...rulesOf(s), ...rulesOf(item).map(rule => 'each: ' + rule)];
  return <li>
    <code>{name}</code> <span class="type">{[typeOf(s, all), ...rules].join(' · ')}</span>{needed ? null : <> <span class="tag">optional</span></>}
    <Prose text={s.description} />
    <Schema schema={s} all={all} depth={depth + 1} />
  </li>;
}

/** A schema with a name of its own, which many share. */
export function Named({says, reference, all, depth = 0}: {says: string; reference: string; all: any; depth?: number}): VNode {
  return <details class="shared"><summary>{says} <code>{reference.split('/').pop()}</code></summary><Schema schema={{$ref: reference}} all={all} depth={depth} /></details>;
}

/** The fields of a schema, those that have to be there first; nothing where it has none. `needed`: what a schema beside this one asks for. */
export function Schema({schema, all, depth = 0, needed = []}: {schema: any; all: any; depth?: number; needed?: string[]}): VNode | null {
  const s = inside(schema, all), top = depth === 0 && s ? rulesOf(s) : [];
  if (!s || depth > deepest) return null;
  if (s.allOf) {
    const asked = s.allOf.flatMap((part: any) => resolved(part, all)?.required ?? []), own = s.allOf.filter((part: any) => !part.$ref);
    return <>{own.map((part: any) => <Schema schema={part} all={all} depth={depth} needed={asked} />)}
      {s.allOf.filter((part: any) => part.$ref).map((part: any) => <Named says="and all of a" reference={part.$ref} all={all} depth={depth} />)}</>;
  }
  const has = new Set([...needed, ...s.required ?? []]);
  const rank = ([name, field]: [string, any]): number => !has.has(name) ? 2 : 'const' in (resolved(field, all) ?? {}) ? 0 : 1;
  const fields = Object.entries<any>(s.properties ?? {}).sort((a, b) => rank(a) - rank(b));
  if (!fields.length) return depth === 0 ? <p class="type">{typeOf(s, all)}</p> : null;
  return <ul class="fields">
    {fields.map(([name, field]) => <Field key={name} name={name} schema={field} needed={has.has(name)} all={all} depth={depth} />)}
    {top.length ? <li class="type">{top.join(' · ')}</li> : null}
  </ul>;
}
