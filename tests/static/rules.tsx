// What the rules find in the page, a line each, and beside it what they leave alone. Never built.
export function Planted({text, element}: {text: string; element: HTMLElement}) {
  // ruleid: html-from-text
  element.innerHTML = text;
  // ruleid: html-from-text
  element.insertAdjacentHTML('beforeend', text);
  // ok: html-from-text
  element.textContent = text;
  // ruleid: html-from-text
  const raw = <p class="text" dangerouslySetInnerHTML={{__html: text}} />;

  // ruleid: text-as-code
  eval(text);
  // ruleid: text-as-code
  setTimeout('run()', 10);
  // ok: text-as-code
  setTimeout(() => run(), 10);

  // ruleid: link-without-rel
  const there = <a href={text} target="_blank">{text}</a>;
  // ok: link-without-rel
  const here = <a href={text} target="_blank" rel="noopener noreferrer nofollow">{text}</a>;

  // ruleid: kept-in-the-browser
  localStorage.setItem('signed-in', answer.access_token);
  // ok: kept-in-the-browser
  localStorage.setItem('theme', text);

  // ruleid: from-elsewhere
  void fetch('https://example.org/' + 1);
  // ruleid: from-elsewhere
  void fetch('https://example.org/');
  // ok: from-elsewhere
  void fetch('/api/v1/rooms');
  return [raw, there, here];
}
