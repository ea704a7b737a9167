import {isValidElement, type ComponentChildren, type VNode} from 'preact';
import {describe, expect, it} from 'vitest';
import {Markdown} from '../src/markdown';

/** What would stand in the page, as text with tags; components are called, so no document is needed. */
function shown(node: ComponentChildren): string {
  if (node === null || node === undefined || typeof node === 'boolean') return '';
  if (Array.isArray(node)) return node.map(shown).join('');
  if (!isValidElement(node)) return String(node).replace(/</g, '&lt;');
  const {type, props} = node as VNode<any>;
  if (typeof type === 'function') return type.name === 'Icon' ? '' : shown((type as any)(props));
  const href = props.href ? ` href=${props.href}` : '', kind = props.class === 'mention' || props.class === 'mention me-too' ? ' mention' : '';
  return `<${type}${href}${kind}>${shown(props.children)}</${type}>`;
}
const known = new Map([['ada', 'a1'], ['bob.b', 'b1']]);
const md = (text: string) => shown(<Markdown text={text} known={known} />);

describe('markdown', () => {
  it('gives emphasis, code, lists, quotes', () => {
    expect(md('**a** *b* ~~c~~ `d`')).toBe('<p><strong>a</strong> <em>b</em> <s>c</s> <code>d</code></p>');
    expect(md('- a\n- b')).toBe('<ul><li>a</li><li>b</li></ul>');
    expect(md('> a')).toBe('<blockquote><p>a</p></blockquote>');
  });
  it('keeps line breaks', () => { expect(md('a\nb')).toBe('<p>a<br></br>b</p>'); });
  it('shows HTML as it was written', () => {
    for (const text of ['<img src=x onerror=alert(1)>', '<script>alert(1)</script>', 'a <b>b</b> c', '<!-- c -->', '<a href="javascript:x">y</a>'])
      expect(md(text)).not.toMatch(/<(img|script|b|a|iframe)[\s>]/);
    expect(md('a <b>b</b> c')).toContain('&lt;b>b&lt;/b>');
  });
  it('links only what is http, https or mail', () => {
    expect(md('[x](https://example.org/a?b=1&c=2)')).toBe('<p><a href=https://example.org/a?b=1&c=2>x</a></p>');
    for (const bad of ['javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,x', 'vbscript:x', ' javascript:x', 'file:///etc/passwd', '//example.org'])
      expect(md(`[x](${bad})`)).not.toContain('<a');
    expect(md('![x](javascript:alert(1))')).not.toMatch(/<(a|img)/);
  });
  it('never loads a picture from elsewhere', () => { expect(md('![x](https://example.org/a.png)')).toBe('<p><a href=https://example.org/a.png>x</a></p>'); });
  it('reads entities in a text, and leaves code as it was written', () => {
    expect(md('a & b &amp;lt; "c"')).toBe('<p>a & b &lt; "c"</p>');
    expect(md('`a &lt; b && c`')).toBe('<p><code>a &lt; b && c</code></p>');
    expect(md('```\n&amp;\n```')).toContain('&amp;');
  });
  it('ends in what is said about the text, in its last line', () => {
    const edited = (text: string) => shown(<Markdown text={text} known={known} tail={<i>edited</i>} />);
    expect(edited('a\n\nb')).toBe('<p>a</p><p>b<i>edited</i></p>');
    expect(edited('# a')).toBe('<p><strong>a</strong><i>edited</i></p>');
    expect(edited('- a\n- b')).toBe('<ul><li>a</li><li>b<i>edited</i></li></ul>');
    expect(edited('- a\n  - b')).toBe('<ul><li>a<ul><li>b<i>edited</i></li></ul></li></ul>');
    expect(edited('> a\n>\n> b')).toBe('<blockquote><p>a</p><p>b<i>edited</i></p></blockquote>');
    expect(edited('a\n\n')).toBe('<p>a<i>edited</i></p>');
    expect(edited('```\na\n```')).toMatch(/<\/pre><\/div><i>edited<\/i>$/);
  });
  it('marks members, not others, and nobody in code', () => {
    expect(md('@ada and @eve')).toMatch(/<span mention>@.*<\/span> and @eve/);
    expect(md('@Bob.B.')).toMatch(/<span mention>.*<\/span>\./);
    expect(md('`@ada`')).not.toContain('mention');
    expect(md('mail ada@ada.org')).not.toContain('span');
    expect(md('@room')).toContain('mention');
  });
});
