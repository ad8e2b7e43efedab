import { expect, test } from 'vitest'
import type { Catalogue } from '../words'

const files = import.meta.glob<Record<string, Catalogue>>('../messages/*.ts', { eager: true })
const entries = Object.entries(files).flatMap(([file, exports]) =>
  Object.values(exports).flatMap((catalogue) => Object.entries(catalogue).map(([key, entry]) => ({ name: `${file} ${key}`, key, entry }))),
)
const holes = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((hole) => hole[1]!).sort()
const problemsOf = (entry: readonly string[]): string[] => [
  ...(entry.length === 2 ? [] : ['not two languages']),
  ...(entry.every((text) => text?.trim()) ? [] : ['an empty text']),
  ...(String(holes(entry[0] ?? '')) === String(holes(entry[1] ?? '')) ? [] : ['different {facts}']),
]

test('every key says the same facts in both languages', () => {
  expect(Object.keys(files).length).toBeGreaterThanOrEqual(3)
  expect(entries.filter(({ entry }) => problemsOf(entry).length).map(({ name }) => name)).toEqual([])
})

test('a missing language or a lost fact is seen', () => {
  expect(problemsOf(['挂到 {time}', 'On hold'])).toEqual(['different {facts}'])
  expect(problemsOf(['已挂单', ''])).toEqual(['an empty text'])
  expect(problemsOf(['已挂单'])).toContain('not two languages')
})

test('a code has one label on every page', () => {
  const kinds = /^(status|priority|outcome|reason)_/
  const seen = new Map<string, Set<string>>()
  for (const { key, entry } of entries) {
    if (kinds.test(key)) seen.set(key, (seen.get(key) ?? new Set()).add(entry[0]))
  }
  expect([...seen].filter(([, labels]) => labels.size > 1).map(([key, labels]) => `${key}: ${[...labels].join(' ')}`)).toEqual([])
})
