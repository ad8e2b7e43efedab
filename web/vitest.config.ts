import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['{board,phone,shared}/test/**/*.test.{ts,tsx}'], environment: 'node', testTimeout: 10_000 },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
})
