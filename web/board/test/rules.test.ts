import { expect, test } from 'vitest'
import { promiseState } from '../src/parts/promise_mark'
import { hoursText, parseHours } from '../src/rules/hours'

test('hours are read as people write them', () => {
  expect(parseHours('09:00-12:00 13:00-18:00')).toEqual([[540, 720], [780, 1080]])
  expect(parseHours('0:00–24:00')).toEqual([[0, 1440]])
  expect(parseHours('9:00-12:00，13:30-18:00')).toEqual([[540, 720], [810, 1080]])
  expect(hoursText([[540, 720], [780, 1080]])).toBe('09:00–12:00 13:00–18:00')
})

test('hours that cannot be are refused', () => {
  for (const text of ['', 'nine to five', '12:00-09:00', '09:00-12:00 11:00-13:00', '09:60-12:00', '09:00-25:00']) {
    expect(parseHours(text), text).toBeNull()
  }
})

test('how a promise stands is derived from its instants', () => {
  const at = Date.parse('2026-11-23T10:00:00Z')
  const promise = { due_at: '2026-11-23T12:00:00Z', at_risk_at: '2026-11-23T11:00:00Z', paused_reason: null }
  expect(promiseState(promise, at)).toBe('running')
  expect(promiseState(promise, at + 3_600_000)).toBe('at_risk')
  expect(promiseState(promise, at + 7_200_001)).toBe('broken')
  expect(promiseState({ ...promise, due_at: null, paused_reason: 'parts' }, at)).toBe('is_paused')
  expect(promiseState({ ...promise, ended: 'met', late: false }, at + 9e9)).toBe('met')
  expect(promiseState({ ...promise, ended: 'met', late: true }, at)).toBe('late')
  expect(promiseState({ ...promise, ended: 'dropped' }, at)).toBe('dropped')
})
