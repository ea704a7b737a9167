// What somebody writes to have a script of theirs run in other people's pages: `payloads` for texts, each once. `xss(N)` is the script, `/xss-N` what they would load.
// After the collections of OWASP, PortSwigger and cure53, and what markdown readers have let through before.

// §: the script. ¤: an address whose loading shows itself.
const html = [
  '<script>§</script>', '<SCRIPT>§</SCRIPT>', '<scr<script>ipt>§</scr</script>ipt>', '<script src="¤"></script>', '<script/src=¤></script>', '<script type=module>§</script>',
  '<script >§</script >', '<script\n>§</script>', '"><script>§</script>', "'><script>§</script>", '</title><script>§</script>', '</textarea><script>§</script>', '</style><script>§</script>',
  '--><script>§</script><!--', ']]><script>§</script>', '<img src=x onerror=§>', '<img src=x onerror="§">', "<img src=x onerror='§'>", '<IMG SRC=x ONERROR=§>', '<img src=x onerror=§//', '<img/src=x/onerror=§>',
  '<img src="¤" onload=§>', '"><img src=x onerror=§>', "'><img src=x onerror=§>", '<img src=x:x onerror=§>', '<img src onerror=§>', '<img srcset=x onerror=§>', '<img \x00src=x onerror=§>', '<img src=x\x0Conerror=§>',
  '<img src=x onerror\x20=§>', '<img src=x onerror\x0A=§>', '<img src="x` `<script>§</script>"` `>', '<image src=x onerror=§>', '<svg onload=§>', '<svg/onload=§>', '<SVG ONLOAD=§>', '<svg><script>§</script></svg>',
  '<svg><script href="¤"/></svg>', '<svg><animate onbegin=§ attributeName=x dur=1s>', '<svg><set onbegin=§ attributeName=x>', '<svg><image href=x onerror=§>', '<svg><a href="javascript:§"><text y=20>x</text></a></svg>',
  '<svg><use href="¤#x"></use></svg>', '<svg><foreignObject><img src=x onerror=§></foreignObject></svg>', '<svg><style><img src=x onerror=§></style>', '<svg><title><img src=x onerror=§></title></svg>',
  '<math><mtext><table><mglyph><style><img src=x onerror=§>', '<math href="javascript:§">x</math>', '<math><maction xlink:href="javascript:§">x', '<body onload=§>', '<body onpageshow=§>', '<html onmouseover=§>',
  '<iframe src="javascript:§"></iframe>', '<iframe srcdoc="<script>parent.§</script>"></iframe>', '<iframe src="¤"></iframe>', '<iframe onload=§></iframe>', '<frameset onload=§>', '<object data="javascript:§"></object>',
  '<object data="¤"></object>', '<embed src="¤">', '<embed src="javascript:§">', '<applet code=¤>', '<link rel=stylesheet href="¤">', '<link rel=prefetch href="¤">', '<link rel=import href="¤">',
  '<meta http-equiv=refresh content="0;url=javascript:§">', '<meta http-equiv=refresh content="0;url=¤">', '<base href="¤/">', '<style>@import "¤";</style>', '<style>*{background:url(¤)}</style>',
  '<div style="background:url(¤)">x</div>', '<div style="width:expression(§)">x</div>', '<table background="¤"><tr><td>x</table>', '<video src=x onerror=§></video>', '<video><source onerror=§></video>',
  '<video poster="¤"></video>', '<audio src=x onerror=§></audio>', '<audio src="¤" autoplay></audio>', '<input autofocus onfocus=§>', '<textarea autofocus onfocus=§>', '<select autofocus onfocus=§>',
  '<button autofocus onfocus=§>x</button>', '<a autofocus onfocus=§ href=#>x</a>', '<div contenteditable autofocus onfocus=§>x</div>', '<input type=image src=x onerror=§>', '<input onblur=§ autofocus><input autofocus>',
  '<details open ontoggle=§>', '<marquee onstart=§>x</marquee>', '<div style="animation:x" onanimationstart=§>x</div><style>@keyframes x{}</style>', '<xss style="transition:1s" ontransitionend=§>', '<div onpointerover=§>x</div>',
  '<a href="javascript:§">x</a>', '<a href="&#106;avascript:§">x</a>', '<a href="java\nscript:§">x</a>', '<a href="data:text/html,<script>§</script>">x</a>', '<form action="javascript:§"><input type=submit>',
  '<form><button formaction="javascript:§">x', '<isindex action="javascript:§" type=submit>', '<keygen autofocus onfocus=§>', '<template><img src=x onerror=§></template>', '<noscript><p title="</noscript><img src=x onerror=§>">',
  '<p title="</p><img src=x onerror=§>">', '<listing>&lt;img src=x onerror=§&gt;</listing>', '<xmp><p title="</xmp><img src=x onerror=§>">', '<noembed><img src="</noembed><img src=x onerror=§>"></noembed>',
  '<!--[if gte IE 4]><script>§</script><![endif]-->', '<![CDATA[<script>§</script>]]>', '<?xml version="1.0"?><script>§</script>', '<?php echo 1 ?><img src=x onerror=§>', '<%<!--\'%><script>§</script -->',
  '&lt;script&gt;§&lt;/script&gt;', '&#60;script&#62;§&#60;/script&#62;', '&#x3c;img src=x onerror=§&#x3e;', '&lt;img src=x onerror=§&gt;', '&amp;lt;img src=x onerror=§&amp;gt;', '\\u003cimg src=x onerror=§\\u003e',
  '%3Cimg src=x onerror=§%3E', '\uFF1Cimg src=x onerror=§\uFF1E', '\u2039script\u203a§\u2039/script\u203a', '\uFEFF<img src=x onerror=§>', '{{constructor.constructor("§")()}}', '${§}', '#{§}', '<x v-on:click=§>', '<x @click=§>',
  '<div data-bind="§">', '<slot onslotchange=§><x>', '<dialog open onclose=§>x</dialog>', '<input type=search onsearch=§ autofocus>', '<a href=# style=position:fixed;inset:0 onmouseover=§>x</a>', '<portal src="¤"></portal>',
];
// Addresses that are a script, or not to be loaded.
const addresses = [
  'javascript:§', 'JavaScript:§', 'JAVASCRIPT:§', 'javascript://x%0a§', 'javascript:/*x*/§', 'javascript&colon;§', 'javascript&#58;§', 'javascript&#x3A;§', '&#106;avascript:§', '&#x6a;avascript:§', '&#0000106;avascript:§',
  'java&Tab;script:§', 'java&NewLine;script:§', 'java&#9;script:§', 'java&#10;script:§', 'java\tscript:§', '\x01javascript:§', '\x1fjavascript:§', '\u00a0javascript:§', '\u2028javascript:§', '\u200bjavascript:§',
  'jav%09ascript:§', '%6aavascript:§', 'vbscript:§', 'VBScript:§', 'livescript:§', 'mocha:§', 'data:text/html,<script>§</script>', 'data:text/html;base64,' + btoa('<script>parent.xss()</script>'), 'DATA:text/html,x',
  'data:image/svg+xml,<svg/onload=§>', 'blob:http://x/1', 'filesystem:http://x/1', 'file:///etc/passwd', 'feed:javascript:§', 'view-source:javascript:§', 'jar:javascript:§', 'about:blank', 'ws://x/', '//¤', '\\\\x\\y', 'x:javascript:§',
];
const inMarkdown = [
  a => `[x](${a})`, a => `[x](<${a}>)`, a => `![x](${a})`, a => `<${a}>`, a => `[x]\n\n[x]: ${a}`, a => `[![x](${a})](${a})`, a => `[x](${a} "title")`,
];
const around = [
  p => `**${p}**`, p => `# ${p}`, p => `> ${p}`, p => `- ${p}`, p => `1. ${p}`, p => `[${p}](https://example.org/)`, p => `[x](https://example.org/ "${p}")`, p => `![${p}](https://example.org/)`, p => `[x](https://example.org/${p})`,
  p => '`' + p + '`', p => '```' + p + '\n' + p + '\n```', p => '~~~' + p + '\n~~~', p => `    ${p}`, p => `| ${p} | b |\n|---|---|\n| ${p} | ${p} |`, p => `~~${p}~~ *${p}*`, p => `@${p}`, p => `x\n${p}\ny`, p => `${p}\n===`,
  p => `- [ ] ${p}`, p => `[^1]\n\n[^1]: ${p}`, p => `https://example.org/${p}`, p => `https://example.org/?"onmouseover=§ x=${p}`, p => `\\${p}`, p => `a${p}b`, p => `<div>\n\n${p}\n\n</div>`, p => `<https://example.org/${p}>`,
];
const shapes = [...html, ...addresses, ...addresses.flatMap((a, i) => [inMarkdown[i % inMarkdown.length](a), inMarkdown[(i + 2) % inMarkdown.length](a), inMarkdown[(i + 4) % inMarkdown.length](a)]), ...html.map((p, i) => around[i % around.length](p))];
const distinct = [...new Set(shapes)];
/** Every kind comes early: a part of them is a part of each. */
const step = 7;
const mixed = Array.from({length: step}, (_, from) => distinct.filter((_, i) => i % step === from)).flat();
export const payloads = mixed.map((shape, n) => shape.replaceAll('§', `xss(${n})`).replaceAll('¤', `/xss-${n}`));
/** Those that are HTML of themselves, for a page without any guard: the test of the test. */
export const live = payloads.filter((_, n) => html.includes(mixed[n]));
