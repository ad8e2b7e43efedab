/** The server's lists of codes, read from its sources: a code added there without a label here fails. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { board } from '../messages/board'
import { common } from '../messages/common'

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')
const labels = new Set([...Object.keys(common), ...Object.keys(board)])
const unlabelled = (kind: string, codes: Iterable<string>): string[] => [...new Set(codes)].filter((code) => !labels.has(`${kind}_${code}`))
const lifecycle = read('dispatch/domain/lifecycle.py')
const enumOf = (name: string): string[] => [...(lifecycle.split(`class ${name}(StrEnum)`)[1] ?? '').split('\nclass ')[0]!.split('\n@')[0]!.matchAll(/^ {4}[A-Z_]+ = "(\w+)"/gm)].map((found) => found[1]!)

test('every status, actor, need, outcome and action has a label', () => {
  const actions = [...lifecycle.matchAll(/_row\("(\w+)"/g)].map((found) => found[1]!)
  expect([enumOf('TicketStatus').length, enumOf('Outcome').length, actions.length > 25]).toEqual([9, 6, true])
  expect([
    ...unlabelled('status', enumOf('TicketStatus')), ...unlabelled('actor', enumOf('Actor')), ...unlabelled('need', enumOf('Need')),
    ...unlabelled('outcome', enumOf('Outcome')), ...unlabelled('action', actions),
  ]).toEqual([])
})

test('every event of a ticket’s history has a label', () => {
  const reacted = [...read('dispatch/domain/reactions.py').split('TIMERS')[0]!.matchAll(/^ {4}"(\w+)":/gm)].map((found) => found[1]!)
  const named = ['requests', 'matching_setup', 'evidence_machines', 'evidence_follow_up', 'evidence', 'working', 'pool_rules'].flatMap((module) =>
    [...read(`dispatch/actions/${module}.py`).matchAll(/"(\w+_request|set_wish|set_part_wanted|machines_named|follow_up)"|action="(\w+)"/g)].map((found) => found[1] ?? found[2]!))
  expect([reacted.length > 30, new Set(named).size > 8]).toEqual([true, true])
  expect(unlabelled('action', [...reacted, ...named])).toEqual([])
})

test('every reason has a label', () => {
  const reasons = (read('dispatch/domain/reasons.py').split('REASONS')[1] ?? '').split('# fmt: skip')[0]!
  const codes = [...reasons.matchAll(/"(\w+)"(?!:)/g)].map((found) => found[1]!)
  expect(codes.length).toBeGreaterThan(30)
  expect(unlabelled('reason', codes)).toEqual([])
})

test('every rule that refuses has a sentence', () => {
  const codes = [...read('dispatch/domain/matching_rules.py').matchAll(/Refusal\(\s*"(\w+)"/g)].map((found) => found[1]!)
  expect(codes.length).toBeGreaterThan(8)
  expect(unlabelled('rule', codes)).toEqual([])
})

test('a code without a label is seen', () => {
  expect(unlabelled('status', ['open', 'lost'])).toEqual(['lost'])
})
