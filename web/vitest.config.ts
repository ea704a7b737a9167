import preact from '@preact/preset-vite';
import {defineConfig} from 'vitest/config';

export default defineConfig({plugins: [preact()], test: {setupFiles: ['tests/setup.ts']}});
