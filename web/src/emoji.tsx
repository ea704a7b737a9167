// The larger choice of emoji, loaded when somebody asks for it. Names are what one types to find them.
import type {VNode} from 'preact';
import {useEffect, useRef, useState} from 'preact/hooks';

const all = `👍 thumbs up|👎 thumbs down|👏 clap|🙌 raised hands|🙏 thanks|👋 wave hello|🤝 handshake|💪 strong|👌 ok|✌️ peace|🤞 fingers crossed|👀 eyes|🫡 salute|
😀 grin|😄 smile|😅 sweat smile|😂 joy laugh tears|🤣 rolling laugh|🙂 slight smile|😉 wink|😊 blush|😍 heart eyes|😎 cool|🤓 nerd|🤔 thinking|🤨 eyebrow|😐 neutral|🙄 eye roll|😬 grimace|
😴 sleep|🤯 mind blown|🥳 party face|😮 surprised|😱 scream|😢 sad cry|😭 sob|😡 angry|😤 huff|🥲 smile tear|🤷 shrug|🤦 facepalm|🙈 monkey no see|
❤️ heart red|🧡 heart orange|💛 heart yellow|💚 heart green|💙 heart blue|💜 heart purple|🖤 heart black|💔 broken heart|💯 hundred|🔥 fire|✨ sparkles|⭐ star|🎉 party|🎊 confetti|🎈 balloon|🏆 trophy|🥇 first medal|
✅ check done|❌ cross no|⚠️ warning|❓ question|❗ exclamation|💡 idea bulb|📌 pin|📎 clip|✏️ pencil|📝 memo note|📚 books|📈 chart up|📉 chart down|🔍 search|🔒 lock|🔑 key|🔔 bell|🕐 clock|⏳ hourglass|📅 calendar|
🐛 bug|🔧 wrench fix|🔨 hammer|⚙️ gear|🧪 test tube|🔬 microscope|💻 laptop|🖥️ screen|💾 disk save|📦 package|🚀 rocket ship|🎯 target dart|🧹 broom clean|🗑️ bin delete|♻️ recycle|🔁 repeat|
☕ coffee|🍵 tea|🍕 pizza|🍰 cake|🍎 apple|🍺 beer|🌮 taco|🍪 cookie|🐱 cat|🐶 dog|🦊 fox|🐢 turtle|🦉 owl|🌱 seedling|🌳 tree|🌞 sun|🌧️ rain|❄️ snow|🌈 rainbow|⚡ lightning`
  .split('|').map(line => { const [emoji = '', ...words] = line.trim().split(' '); return {emoji, name: words.join(' ')}; });

export default function EmojiChoice({pick}: {pick: (emoji: string) => void}): VNode {
  const field = useRef<HTMLInputElement>(null);
  // On a phone the keyboard would cover what there is to choose.
  useEffect(() => { if (matchMedia('(pointer: fine)').matches) field.current?.focus({preventScroll: true}); }, []);
  const [query, setQuery] = useState(''), found = all.filter(e => e.name.includes(query.trim().toLowerCase()));
  return <div class="emoji-choice" role="group" aria-label="Emoji">
    <input ref={field} class="input" type="search" aria-label="Find an emoji" placeholder="Find an emoji" value={query} onInput={e => setQuery(e.currentTarget.value)}
      onKeyDown={e => { if (e.key === 'Enter' && found[0]) { e.preventDefault(); pick(found[0].emoji); } }} />
    <div class="emoji-grid" tabIndex={-1}>{found.map(({emoji, name}) => <button type="button" key={emoji} aria-label={name} title={name} onClick={() => pick(emoji)}><span class="e">{emoji}</span></button>)}</div>
    {found.length === 0 && <p class="hint-line" role="status">Nothing by that name.</p>}
  </div>;
}
