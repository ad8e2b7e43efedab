import { preact } from '@preact/preset-vite'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { defineConfig, type Plugin } from 'vite'
import { common } from '../shared/messages/common'
import { phone } from '../shared/messages/phone'
import { problems } from '../shared/messages/problems'

/** Writes the list of everything the shell needs into the service worker, so that a first visit is enough to work offline. */
function shellList(): Plugin {
  return {
    name: 'shell-list',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const built = Object.keys(bundle).filter((name) => name !== 'sw.js' && !name.endsWith('.map') && !name.endsWith('.html'))
      const fixed = readdirSync(new URL('public', import.meta.url)).filter((name) => !name.startsWith('.'))
      const files = ['./', ...built, ...fixed]
      const worker = bundle['sw.js']
      if (worker?.type !== 'chunk') throw new Error('sw.js was not built')
      const page = bundle['index.html']
      const pageText = page?.type === 'asset' ? String(page.source) : ''
      const version = createHash('sha256').update(files.join('\n')).update(pageText).update(worker.code).digest('hex').slice(0, 12)
      const before = worker.code
      worker.code = before.replace(/["'`]__SHELL_FILES__["'`]/, JSON.stringify(files)).replace('__SHELL_VERSION__', version)
      if (worker.code.includes('__SHELL_')) throw new Error('the list of shell files was not written into sw.js')
    },
  }
}

/** One module per language from the shared catalogues; what is said on the phone overrides what is common. */
function words(): Plugin {
  const catalogue = { ...common, ...problems, ...phone }
  const one = (side: 0 | 1) => Object.fromEntries(Object.entries(catalogue).map(([key, entry]) => [key, entry[side]]))
  return {
    name: 'words',
    resolveId: (id) => (id.startsWith('virtual:words-') ? `\0${id}` : undefined),
    load: (id) => (id.startsWith('\0virtual:words-') ? `export default ${JSON.stringify(one(id.endsWith('zh') ? 0 : 1))}` : undefined),
  }
}

export default defineConfig({
  root: import.meta.dirname,
  base: '/phone/',
  plugins: [preact(), words(), shellList()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    rolldownOptions: {
      input: { index: new URL('index.html', import.meta.url).pathname, sw: new URL('src/sw.ts', import.meta.url).pathname },
      output: { entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    },
  },
  server: { proxy: { '/engineer': process.env['PAIDAN_API'] ?? 'http://127.0.0.1:8000' } },
})
