import { preact } from '@preact/preset-vite'
import { defineConfig } from 'vite'

const api = process.env['PAIDAN_API'] ?? 'http://127.0.0.1:8000'

export default defineConfig({
  root: import.meta.dirname,
  base: '/board/',
  plugins: [preact()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // MapLibre alone is 1.1 MB; it loads after the queue is on screen.
    chunkSizeWarningLimit: 1_400,
  },
  server: { proxy: { '/dispatcher': api, '/map': api } },
})
