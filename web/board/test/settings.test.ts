import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Refused } from '../src/api'
import { DECLINE_REASONS, HAND_BACK_REASONS } from '../src/contractor/reasons'
import { choicesText, readChoices } from '../src/settings/choices'
import { fieldErrors } from '../src/settings/field_errors'
import { majorText, minorOf, spansFrom } from '../src/settings/values'
import { language } from '../src/words'

test('a refusal is said beside the input it speaks of', () => {
  language.value = 'en'
  const malformed = new Refused('request_invalid', 422, { fields: [{ field: 'body.lines.3.name.zh', why: 'string_too_short' }, { field: 'body.lines.3.code', why: 'string_pattern_mismatch' }] })
  expect(fieldErrors(malformed, new Set(['name_zh', 'code']))).toEqual({ name_zh: 'Please fill this in.', code: 'Not in the right form.' })
  expect(fieldErrors(new Refused('policy_exists', 409), new Set(['work_type']))).toHaveProperty('work_type')
  expect(fieldErrors(new Refused('tenant_setting_invalid', 422, { setting: 'ring_m' }), new Set(['ring_m']))).toHaveProperty('ring_m')
})

test('a refusal that speaks of no input here stays above the form', () => {
  expect(fieldErrors(new Refused('policy_exists', 409), new Set(['url']))).toEqual({})
  expect(fieldErrors(new Refused('internal', 500), new Set(['url']))).toEqual({})
})

test('amounts are read without a float in between', () => {
  expect(['0', '128.5', '128,50', '1.005', '-1', ''].map(minorOf)).toEqual([0, 12_850, 12_850, null, null, null])
  expect(majorText(5)).toBe('0.05')
})

test('hours that end before they start end the next day, by the company’s clock', () => {
  expect(spansFrom('2026-11-23', 2, '18:00', '08:00', 'Asia/Shanghai')).toEqual([
    { starts_at: '2026-11-23T10:00:00.000Z', ends_at: '2026-11-24T00:00:00.000Z' },
    { starts_at: '2026-11-24T10:00:00.000Z', ends_at: '2026-11-25T00:00:00.000Z' },
  ])
})

test('a choice that was renamed stays the same choice', () => {
  const known = readChoices('已清洗 | Cleaned\n已更换', [])
  expect(known[1]).toEqual({ code: 'choice_2', label: { zh: '已更换', en: '已更换' } })
  expect(readChoices(choicesText(known).replace('Cleaned', 'Clean'), known).map((one) => one.code)).toEqual(['choice_1', 'choice_2'])
})

test.each([['decline_offer', DECLINE_REASONS], ['hand_back', HAND_BACK_REASONS]] as const)('the reasons of %s are the server’s', (action, ours) => {
  const reasons = new RegExp(`"${action}": \\(([^)]*)\\)`).exec(readFileSync(new URL('../../../dispatch/domain/reasons.py', import.meta.url), 'utf8'))
  expect([...reasons![1]!.matchAll(/"(\w+)"/g)].map((one) => one[1])).toEqual([...ours])
})
