import { describe, expect, test } from 'vitest'
import { ageText, clockTime, countdown, dayName, dayTime, distanceText, dueText, durationText, instantToWall, moneyText, wallToInstant, windowText } from '../formats'
import { fill } from '../words'

const NEW_YORK = 'America/New_York'
const SHANGHAI = 'Asia/Shanghai'

describe('times are the zone’s, not the screen’s', () => {
  test('one instant, two walls', () => {
    expect(clockTime('2026-11-22T02:30:00Z', SHANGHAI)).toBe('10:30')
    expect(clockTime('2026-11-22T02:30:00Z', NEW_YORK)).toBe('21:30')
    expect(instantToWall('2026-11-22T02:30:00Z', NEW_YORK)).toBe('2026-11-21T21:30')
  })

  test('midnight is 00:00', () => expect(clockTime('2026-11-21T16:00:00Z', SHANGHAI)).toBe('00:00'))

  test('a wall time becomes the instant it means, in winter and summer', () => {
    expect(wallToInstant('2026-01-15T09:00', NEW_YORK)).toBe('2026-01-15T14:00:00.000Z')
    expect(wallToInstant('2026-07-15T09:00', NEW_YORK)).toBe('2026-07-15T13:00:00.000Z')
  })

  test('a skipped hour moves forward, a doubled one is the first', () => {
    expect(wallToInstant('2026-03-08T02:30', NEW_YORK)).toBe('2026-03-08T07:30:00.000Z')
    expect(wallToInstant('2026-11-01T01:30', NEW_YORK)).toBe('2026-11-01T05:30:00.000Z')
  })

  test('rubbish is no instant', () => {
    expect(wallToInstant('', SHANGHAI)).toBeNull()
    expect(wallToInstant('tomorrow', SHANGHAI)).toBeNull()
    expect(wallToInstant('2026-13-45T99:99', SHANGHAI)).toBeNull()
  })

  test('there and back again, every half hour of the days clocks change', () => {
    for (const day of ['2026-03-08', '2026-11-01']) {
      const start = Date.parse(`${day}T12:00:00Z`)
      for (let i = 0; i < 48; i++) {
        const at = start + i * 1_800_000
        expect(wallToInstant(instantToWall(at, NEW_YORK), NEW_YORK)).toBe(new Date(at).toISOString())
      }
    }
  })
})

describe('days', () => {
  const now = Date.parse('2026-11-22T15:30:00Z') // 23:30 in Shanghai
  test('today, tomorrow and yesterday turn at the zone’s midnight', () => {
    expect(dayName('2026-11-22T15:59:00Z', SHANGHAI, now, 'zh')).toBe('今天')
    expect(dayName('2026-11-22T16:01:00Z', SHANGHAI, now, 'en')).toBe('Tomorrow')
    expect(dayName('2026-11-21T10:00:00Z', SHANGHAI, now, 'zh')).toBe('昨天')
    expect(dayTime('2026-11-22T15:59:00Z', SHANGHAI, now, 'zh')).toBe('23:59')
  })
  test('a window names its day once', () => {
    expect(windowText('2026-11-23T06:00:00Z', '2026-11-23T08:00:00Z', SHANGHAI, now, 'en')).toBe('Tomorrow 14:00–16:00')
    expect(windowText('2026-11-22T15:45:00Z', '2026-11-22T17:00:00Z', SHANGHAI, now, 'zh')).toBe('今天 23:45 – 明天 01:00')
  })
})

test('lengths take their two largest units', () => {
  expect(durationText(45 * 60_000, 'zh')).toBe('45 分钟')
  expect(durationText(125 * 60_000, 'en')).toBe('2 h 5 min')
  expect(durationText(120 * 60_000, 'zh')).toBe('2 小时')
  expect(durationText(76 * 3_600_000, 'zh')).toBe('3 天 4 小时')
  expect(durationText(-5, 'en')).toBe('0 min')
})

test('ages, dues and countdowns', () => {
  expect(ageText(2_000, 'en')).toBe('just now')
  expect(ageText(40_000, 'zh')).toBe('40 秒前')
  expect(ageText(300_000, 'en')).toBe('5 min ago')
  expect(dueText('2026-11-22T10:45:00Z', Date.parse('2026-11-22T10:00:00Z'), 'zh')).toBe('剩 45 分钟')
  expect(dueText('2026-11-22T09:40:00Z', Date.parse('2026-11-22T10:00:00Z'), 'en')).toBe('20 min late')
  expect(countdown(245_000)).toBe('4:05')
  expect(countdown(3_729_000)).toBe('1:02:09')
  expect(countdown(-1)).toBe('0:00')
})

test('distances and money', () => {
  expect(distanceText(847, 'zh')).toBe('850 米')
  expect(distanceText(998, 'en')).toBe('1.0 km')
  expect(distanceText(12_300, 'en')).toBe('12 km')
  expect(moneyText(12_850, 'CNY', 'zh')).toBe('¥128.50')
  expect(moneyText(500, 'JPY', 'en')).toContain('500')
})

test('a fact that is missing leaves its hole in sight', () => {
  expect(fill('{n} of {m}', { n: 0 })).toBe('0 of {m}')
})
