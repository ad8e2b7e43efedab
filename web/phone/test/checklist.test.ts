import { describe, expect, it } from 'vitest'
import { answersToSend, asked, unfinished } from '../src/core/checklist'
import type { ChecklistItem } from '../src/core/wire'

const label = { zh: '项', en: 'Item' }
const items: ChecklistItem[] = [
  { item: 'leaks', kind: 'yes_no', label, required: true },
  { item: 'bar', kind: 'number', label, required: true, least: 0, most: 6, show_when: { item: 'leaks', is: [true] } },
  { item: 'slip', kind: 'photo', label, required: true, outcomes: ['no_access'] },
]

describe('the checklist on the phone', () => {
  it('asks what the branch taken asks', () => {
    expect(asked(items, 'fixed', { leaks: false }).map((i) => i.item)).toEqual(['leaks'])
    expect(asked(items, 'fixed', { leaks: true }).map((i) => i.item)).toEqual(['leaks', 'bar'])
    expect(asked(items, 'no_access', {}).map((i) => i.item)).toEqual(['slip'])
  })

  it('names what is missing or out of bounds', () => {
    expect(unfinished(items, 'fixed', {})).toEqual(['leaks'])
    expect(unfinished(items, 'fixed', { leaks: true, bar: '9' })).toEqual(['bar'])
    expect(unfinished(items, 'fixed', { leaks: true, bar: '2.5' })).toEqual([])
  })

  it('sends numbers as numbers and nothing of a branch not taken', () => {
    expect(answersToSend(items, 'fixed', { leaks: true, bar: '2.5' })).toEqual([{ item: 'leaks', value: true }, { item: 'bar', value: 2.5 }])
    expect(answersToSend(items, 'fixed', { leaks: false, bar: '2.5' })).toEqual([{ item: 'leaks', value: false }])
  })
})
