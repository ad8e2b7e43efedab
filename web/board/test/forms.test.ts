import { describe, expect, test } from 'vitest'
import { amendValues, buildFacts, errorsAfter, FORMS, groupActions, type ActionForm } from '../src/forms/forms'
import { view } from './builders'

const ZONE = 'Asia/Shanghai'
const form = (action: string): ActionForm => FORMS[action]!

describe('what was typed becomes facts', () => {
  test('a hold says why and until when, on the site’s clock', () => {
    const built = buildFacts(form('hold'), { reason: 'parts', until: '2026-11-25T09:00', keep_engineer: true, text: '  等压缩机 ' }, {}, ZONE)
    expect(built.facts).toEqual({ reason: 'parts', until: '2026-11-25T01:00:00.000Z', keep_engineer: true, text: '等压缩机' })
  })
  test('what is left empty is not sent', () => {
    expect(buildFacts(form('hold'), { reason: 'weather', text: ' ', keep_engineer: false }, {}, ZONE).facts).toEqual({ reason: 'weather' })
  })
  test('a reason that is needed is asked for', () => {
    expect(buildFacts(form('cancel'), {}, {}, ZONE).errors).toEqual({ reason: 'missing_field' })
  })
  test('a window needs both ends, in order', () => {
    expect(buildFacts(form('rebook'), { window_from: '2026-11-25T09:00' }, {}, ZONE).errors).toEqual({ window: 'missing_field' })
    expect(buildFacts(form('rebook'), { window_from: '2026-11-25T09:00', window_to: '2026-11-25T09:00' }, {}, ZONE).errors).toEqual({ window: 'window_order' })
    expect(buildFacts(form('contact'), { text: '不在家' }, {}, ZONE).facts).toEqual({ text: '不在家' })
  })
  test('resuming asks nothing', () => {
    expect(buildFacts(form('resume'), {}, {}, ZONE).facts).toEqual({})
  })
})

describe('amending', () => {
  const initial = amendValues(view(), (at) => at)
  test('sends only what differs', () => {
    expect(buildFacts(form('amend'), { ...initial, priority: 'urgent', site: { lon: 1, lat: 2 } }, initial, ZONE).facts).toEqual({ priority: 'urgent', site: { lon: 1, lat: 2 } })
  })
  test('without a change there is nothing to send', () => {
    expect(buildFacts(form('amend'), initial, initial, ZONE).errors).toEqual({ description: 'no_change' })
  })
  test('a telephone number looks like one', () => {
    expect(buildFacts(form('amend'), { ...initial, contact_phone: 'ask at the gate' }, initial, ZONE).errors).toEqual({ contact_phone: 'phone_wrong' })
  })
})

test('a field being mended is no longer wrong', () => {
  expect(errorsAfter({ reason: 'missing_field', window: 'window_order' }, { window_to: '2026-11-25T10:00' })).toEqual({ reason: 'missing_field' })
})

test('every allowed action has a button in one group, an unknown one too', () => {
  const allowed = ['offer', 'assign', 'hold', 'cancel', 'note', 'brand_new']
  const groups = groupActions(allowed)
  expect(groups.forward).toEqual(['assign', 'offer'])
  expect(groups.undoing).toEqual(['cancel'])
  expect([...groups.forward, ...groups.beside, ...groups.undoing].sort()).toEqual([...allowed].sort())
})
