import { beforeEach, describe, expect, test } from 'vitest'
import { Refused } from '../src/api'
import { decidingPart, refusalText, travelText } from '../src/refusals'
import { label, language, problemText } from '../src/words'
import { candidate } from './builders'

const catalogue = {
  work_types: [], reasons: {}, skills: [{ code: 'lift', name: { zh: '电梯', en: 'Lifts' }, retired: false }],
  territories: [
    { territory_id: 'a', name: { zh: '古城区', en: 'Old Town' }, zone: 'Asia/Shanghai', area: null },
    { territory_id: 'b', name: { zh: '湖西区', en: 'Huxi' }, zone: 'Asia/Shanghai', area: null },
  ],
}

beforeEach(() => void (language.value = 'zh'))

describe('refusals in words', () => {
  test('numbers become lengths of time, codes become names', () => {
    expect(refusalText({ rule: 'workload', planned_min: 430, visit_min: 60, limit_min: 480 }, catalogue)).toBe('工作量超限：已排 7 小时 10 分，加本单 1 小时，上限 8 小时')
    expect(refusalText({ rule: 'skill', skill: 'lift', needs: 2, has: 1 }, catalogue)).toBe('技能「电梯」需 2 级，现有 1 级')
    expect(refusalText({ rule: 'skill', skill: 'lift', needs: 2, has: 0 }, catalogue)).toBe('没有技能「电梯」（需 2 级）')
    expect(refusalText({ rule: 'refused_before', reason: 'too_far' }, catalogue)).toBe('已拒绝过本单：太远')
    language.value = 'en'
    expect(refusalText({ rule: 'territory', needs: 'a', has: 'b' }, catalogue)).toBe('Other territory: Huxi, not Old Town')
    expect(refusalText({ rule: 'arrives_late', travel_s: 2_400, late_s: 1_500 }, catalogue)).toBe('40 min away, 25 min after the window')
  })
  test('a rule nobody has translated shows its numbers', () => {
    expect(refusalText({ rule: 'tools_missing', wanted: 'ladder' }, null)).toBe('tools missing: wanted ladder')
  })
  test('no rule leaves a hole in its sentence', () => {
    const rules = [
      { rule: 'certificate', skill: 'lift', until: '2026-01-01', day: '2026-11-22' }, { rule: 'absent', day: '2026-11-22' }, { rule: 'off_shift', day: '2026-11-22' },
      { rule: 'position_unknown' }, { rule: 'too_far', travel_s: 9_000, limit_s: 7_200 }, { rule: 'excluded_by_customer' }, { rule: 'inactive' }, { rule: 'trainee' },
    ]
    expect(rules.map((rule) => refusalText(rule, catalogue)).filter((text) => text.includes('{'))).toEqual([])
  })
})

test('what decided between two is the part that differs most', () => {
  const ana = candidate({ parts: { travel: 10, workload: 5, lateness: 0 } })
  const ben = candidate({ parts: { travel: 12, workload: 2, lateness: 9 } })
  expect(decidingPart(ana, ben)).toBe('lateness')
  expect(decidingPart(ana, ana)).toBeNull()
  expect(travelText({ travel_s: 1_090, distance_m: 7_440 })).toBe('19 分钟 · 7.4 公里')
})

describe('problems in words', () => {
  test('the missing facts are named', () => {
    expect(problemText(new Refused('action_not_ready', 422, { action: 'complete', missing: ['outcome', 'completion_photos'] }))).toBe('还缺少：处理结果、完工照片')
  })
  test('a refused move says what the ticket is now', () => {
    language.value = 'en'
    expect(problemText(new Refused('action_not_allowed', 409, { action: 'hand_back', status: 'on_site' }))).toBe('The ticket is now “On site”, so “Hand back” is not possible. The page is up to date.')
  })
  test('the fields of a malformed request are named', () => {
    expect(problemText(new Refused('request_invalid', 422, { fields: [{ field: 'body.contact_phone', why: 'string_pattern_mismatch' }] }))).toBe('填写有误：电话')
  })
  test('an unknown code is shown, a failing server gives its trace', () => {
    expect(problemText(new Refused('moon_full', 409))).toBe('操作未完成（moon_full）')
    expect(problemText(new Refused('whatever', 500, {}, 'abc'))).toContain('abc')
  })
})

test('a label nobody wrote is readable', () => {
  expect(label('status', 'on_site')).toBe('服务中')
  expect(label('status', 'lost_in_space')).toBe('lost in space')
})
