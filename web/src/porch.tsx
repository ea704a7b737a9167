// The picture beside the sign-in form, after the prototype: a porch with five columns, and the three steps of a beginning.
import type {VNode} from 'preact';

const beams = Array.from({length: 10}, (_, i) => -38 + 80 * i), columns = Array.from({length: 5}, (_, i) => 16 + 160 * i);

export const Porch = (): VNode => <aside class="art" aria-hidden="true">
  <svg viewBox="0 0 760 900" preserveAspectRatio="xMidYMid slice">
    <defs>
      <linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" class="a-sky0" /><stop offset="1" class="a-sky1" /></linearGradient>
      <linearGradient id="shaft" x1="0" y1="0" x2="1" y2="0"><stop offset="0" class="a-lit" /><stop offset=".38" class="a-mid" /><stop offset="1" class="a-dim" /></linearGradient>
    </defs>
    <rect width="760" height="900" fill="url(#sky)" /><rect width="760" height="60" class="a-beam" /><rect y="60" width="760" height="86" class="a-metope" />
    {beams.map(x => [0, 13, 26].map(by => <rect x={x + by} y="65" width="10" height="81" class="a-blue" />))}
    <circle cx="420" cy="105" r="10" class="a-ochre" />
    <rect y="60" width="760" height="5" class="a-red" /><rect y="146" width="760" height="5" class="a-red" /><rect y="151" width="760" height="34" class="a-beam2" />
    {columns.map(x => <><path d={`M${x} 185h88v16h-88z`} class="a-cap" /><path d={`M${x + 17} 201h54l5 489h-64z`} fill="url(#shaft)" /></>)}
    <path d="M0 690H760V900H0Z" class="a-floor" />
    {columns.map(x => <path d={`M${x + 12} 704h64l150 196h-96z`} class="a-shade" />)}
    <path d="M0 690H760V704H0Z" class="a-step" />
  </svg>
  <ol class="steps">
    <li><b><i>1</i> Your name</b>A username and a password are enough.</li>
    <li><b><i>2</i> A room</b>Pick one that is open, or make one.</li>
    <li><b><i>3</i> Hello</b>Write the first line. You can always edit it.</li>
  </ol>
</aside>;
