import { describe, expect, it } from 'vitest'
import { common } from '../../shared/messages/common'
import { phone } from '../../shared/messages/phone'
import lifecycle from '../src/core/lifecycle.json'
import reasons from '../src/core/reasons.json'

const words: Record<string, readonly string[]> = { ...common, ...phone }
const missing = (keys: string[]) => keys.filter((key) => !words[key]?.every((text) => text.trim() !== ''))

describe('the words on the phone', () => {
  it('name every button in both languages', () => {
    expect(missing(Object.values(lifecycle.actions).flat().map((action) => `action_${action}`))).toEqual([])
  })

  it('name every status in both languages', () => {
    expect(missing(Object.keys(lifecycle.actions).map((status) => `status_${status}`))).toEqual([])
  })

  it('name every reason in both languages', () => {
    expect(missing(Object.values(reasons).flat().map((reason) => `reason_${reason}`))).toEqual([])
  })

  it('would be missed: a reason without words is found', () => {
    expect(missing(['reason_made_up'])).toEqual(['reason_made_up'])
  })
})
