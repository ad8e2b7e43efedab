import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const css = readFileSync(new URL('../tokens.css', import.meta.url), 'utf8')
const [light, dark] = css.split('@media') as [string, string]
const tokensOf = (text: string): Map<string, string> => new Map([...text.matchAll(/(--[\w-]+):\s*(#[0-9a-f]{6})/g)].map((found) => [found[1]!, found[2]!]))

const rgb = (hex: string): number[] => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16))
const mix = (a: number[], b: number[], share: number): number[] => a.map((value, i) => value * share + b[i]! * (1 - share))

/** Relative luminance and contrast ratio: WCAG 2.2, 1.4.3. */
function luminance(colour: number[]): number {
  const [r, g, b] = colour.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4)) as [number, number, number]
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}
function contrast(a: number[], b: number[]): number {
  const [bright, dim] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (bright + 0.05) / (dim + 0.05)
}

const PAIRS = [
  ['--ink', '--surface'], ['--ink-2', '--surface-3'], ['--ink-3', '--surface-2'], ['--ink-3', '--ground'], ['--accent', '--surface'], ['--accent', '--accent-soft'],
  ['--accent-ink', '--accent'], ['--accent-ink', '--accent-press'], ['--on-brand', '--brand'], ['--danger', '--danger-soft'], ['--surface', '--danger'], ['--warn', '--warn-soft'], ['--surface', '--warn'], ['--good', '--surface'], ['--ink', '--good-soft'],
] as const

/** The edge of a field is what says where to tap: WCAG 2.2, 1.4.11. */
const EDGES = [['--line-field', '--surface'], ['--line-field', '--surface-2']] as const

function tooFaint(tokens: Map<string, string>): string[] {
  const colour = (name: string): number[] => rgb(tokens.get(name)!)
  const plain = PAIRS.filter(([on, under]) => contrast(colour(on), colour(under)) < 4.5).map(([on, under]) => `${on} on ${under}`)
  const edges = EDGES.filter(([on, under]) => contrast(colour(on), colour(under)) < 3).map(([on, under]) => `${on} on ${under}`)
  const pills = [...tokens.keys()].filter((name) => name.startsWith('--status-') || name === '--engineer-free')
  return [...plain, ...edges, ...pills.filter((name) => contrast(colour(name), mix(colour(name), colour('--surface'), 0.13)) < 4.5)]
}

describe('every text can be read', () => {
  test.each([['light', tokensOf(light)], ['dark', tokensOf(dark)]])('%s', (_name, tokens) => expect(tooFaint(tokens)).toEqual([]))
  test('a colour that is too faint is seen', () => {
    expect(tooFaint(new Map([...tokensOf(light), ['--ink-3', '#aaaaaa']]))).toContain('--ink-3 on --ground')
    expect(tooFaint(new Map([...tokensOf(light), ['--line-field', '#c5ccd6']]))).toContain('--line-field on --surface')
  })
})
