import {isValidElement, type ComponentChildren, type VNode} from 'preact';
import {describe, expect, it} from 'vitest';
// @ts-expect-error plain JavaScript, shared with tests/browser
import {payloads as all} from '../../tests/browser/payloads.mjs';
import {Markdown} from '../src/markdown';

const payloads = all as string[];
const tags = new Set(['p', 'strong', 'em', 's', 'code', 'br', 'a', 'span', 'div', 'header', 'button', 'pre', 'ul', 'ol', 'li', 'blockquote']);
const names = new Set(['children', 'class', 'dir', 'href', 'target', 'rel', 'start', 'tabIndex', 'type', 'aria-label', 'onClick', 'key']);

/** Everything that is not a text, as what is wrong with it. */
function wrong(node: ComponentChildren): string[] {
  if (Array.isArray(node)) return node.flatMap(wrong);
  if (node === null || node === undefined || typeof node !== 'object') return [];
  if (!isValidElement(node)) return ['an object that is no element'];
  const {type, props} = node as VNode<any>;
  if (typeof type === 'function') return type.name === 'Icon' ? [] : wrong((type as any)(props));
  const out = tags.has(type) ? [] : [`<${type}>`];
  for (const [name, value] of Object.entries(props as Record<string, unknown>)) {
    if (!names.has(name)) out.push(`${type} ${name}`);
    if (name.startsWith('on') && (typeof value !== 'function' || type !== 'button')) out.push(`${type} ${name}=${value}`);
    // As a browser reads it: blanks and control characters at its beginning are skipped, and some within.
    if (name === 'href' && !['http:', 'https:', 'mailto:'].includes(new URL(String(value), 'x-none:/').protocol)) out.push(`href=${value}`);
  }
  return [...out, ...wrong(props.children)];
}
const of = (text: string) => wrong(<Markdown text={text} known={new Map([['xss', 'a1'], ['room', 'a2']])} />);

describe('what is written to run as a script', () => {
  it(`is at most emphasis, lists, code and links of ${payloads.length} payloads`, () => {
    expect(payloads.length).toBeGreaterThanOrEqual(400);
    expect(payloads.flatMap(text => of(text).map(what => `${what}: ${text}`))).toEqual([]);
  });
  it('nor two of them beside, within and before each other', () => {
    const found = payloads.flatMap((text, n) => {
      const other = payloads[(n * 31 + 17) % payloads.length]!;
      return [`${text} ${other}`, `${text}\n${other}`, `[${text}](${other})`, `<${text}${other}>`].flatMap(both => of(both).map(what => `${what}: ${both}`));
    });
    expect(found).toEqual([]);
  });
  it('and the check sees what it should', () => {
    expect(wrong(<img src="x" />)).toEqual(['<img>', 'img src']);
    expect(wrong(<a href="java&#9;script:x">x</a>)).toHaveLength(1);
    expect(wrong(<a href={' JavaScript:x'}>x</a>)).toHaveLength(1);
    expect(wrong(<p dangerouslySetInnerHTML={{__html: 'x'}} />)).toEqual(['p dangerouslySetInnerHTML']);
  });
});
