import { preact } from '@preact/preset-vite'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
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

/** What the day's screen is made of: the words these files name come first, the others with the first sheet or screen. */
const FIRST = ['main.tsx', 'screens/today.tsx', ...['basics', 'pieces', 'main_bar', 'ticket_cards'].map((name) => `parts/${name}.tsx`)]
const FIRST_LABELS = ['reach_', 'status_', 'priority_', 'action_', 'outcome_']

function isFirst(): (key: string) => boolean {
  const source = (name: string) => readFileSync(new URL(`src/${name}`, import.meta.url), 'utf8')
  const core = readdirSync(new URL('src/core', import.meta.url)).filter((name) => name.endsWith('.ts')).map((name) => `core/${name}`)
  const named = new Set([...FIRST, ...core].flatMap((name) => [...source(name).matchAll(/'([a-z][a-z0-9_]*)'/g)].map((found) => found[1])))
  return (key) => named.has(key) || FIRST_LABELS.some((start) => key.startsWith(start))
}

/** Two modules per language from the shared catalogues; what is said on the phone overrides what is common. */
function words(): Plugin {
  const catalogue = { ...common, ...problems, ...phone }
  const book = (id: string) => {
    const side = id.includes('-zh') ? 0 : 1
    const first = isFirst()
    const wanted = Object.entries(catalogue).filter(([key]) => first(key) !== id.endsWith('-rest'))
    return Object.fromEntries(wanted.map(([key, entry]) => [key, entry[side]]))
  }
  return {
    name: 'words',
    resolveId: (id) => (id.startsWith('virtual:words-') ? `\0${id}` : undefined),
    load: (id) => (id.startsWith('\0virtual:words-') ? `export default ${JSON.stringify(book(id))}` : undefined),
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
      input: { index: `${import.meta.dirname}/index.html`, sw: `${import.meta.dirname}/src/sw.ts` },
      output: { entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    },
  },
  server: { proxy: { '/engineer': process.env['PAIDAN_API'] ?? 'http://127.0.0.1:8000' } },
})
