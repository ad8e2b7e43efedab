import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { dropNotice, notices, say } from '../src/state'

beforeEach(() => { vi.useFakeTimers() })
afterEach(() => {
  vi.runAllTimers()
  vi.useRealTimers()
})

const texts = () => notices.value.map((one) => one.text)

it('stands four seconds when all is well and nine when it is not', () => {
  say('good', 'Saved')
  say('bad', 'Refused')
  vi.advanceTimersByTime(4_000)
  expect(texts()).toEqual(['Refused'])
  vi.advanceTimersByTime(5_000)
  expect(texts()).toEqual([])
})

it('stands its whole time again when it is said again, and only once', () => {
  say('good', 'Saved')
  vi.advanceTimersByTime(3_900)
  say('good', 'Saved')
  expect(texts()).toEqual(['Saved'])
  vi.advanceTimersByTime(3_900)
  expect(texts()).toEqual(['Saved'])
  vi.advanceTimersByTime(200)
  expect(texts()).toEqual([])
})

it('three stand at most, the oldest goes first, and one can be closed', () => {
  for (const text of ['a', 'b', 'c', 'd']) say('good', text)
  expect(texts()).toEqual(['b', 'c', 'd'])
  dropNotice(notices.value[1]!.id)
  expect(texts()).toEqual(['b', 'd'])
})
