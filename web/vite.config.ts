import preact from '@preact/preset-vite';
import {defineConfig} from 'vite';

export default defineConfig({
  base: './',
  plugins: [preact({devToolsEnabled: false, prefreshEnabled: false})],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,           // nothing inline: the policy has no data: for scripts, styles, fonts
    modulePreload: {polyfill: false},
    rollupOptions: {input: {index: 'index.html', docs: 'docs.html'}},
  },
  server: {proxy: {'/api': {target: 'http://127.0.0.1:8080', ws: true}}},
});
