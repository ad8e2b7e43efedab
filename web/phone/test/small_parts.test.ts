import { describe, expect, it } from 'vitest'
import { atSite } from '../src/core/at_site'
import { serverTime, setClock } from '../src/core/clock'
import { openPhoneDb } from '../src/core/db'
import { readExif } from '../src/core/exif'
import { eventReader } from '../src/core/live'
import { lineTotal, parseMinor, parseQuantity } from '../src/core/money'
import { distanceM, keepPosition, KEEP_AT_MOST, sendPositions } from '../src/core/positions'
import { madeAtMs, sha256, uuid7 } from '../src/core/uuid7'
import type { EngineerApi } from '../src/core/api'
import type { PositionReading } from '../src/core/wire'
import { ANA, freshDatabase } from './fakes'

describe('ids', () => {
  it('are version 7 and sort by time', () => {
    const ids = [uuid7(1_700_000_000_000), uuid7(1_700_000_000_001), uuid7(1_800_000_000_000)]
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect([...ids].sort()).toEqual(ids)
    expect(madeAtMs(ids[0]!)).toBe(1_700_000_000_000)
  })

  it('of a photo are the sha256 of its bytes', async () => {
    expect(await sha256(new ArrayBuffer(0))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  })
})

describe('the server clock', () => {
  it('runs at the pace of an accelerated demo after two looks', () => {
    const first = setClock(null, 1_000_000, 0)
    const second = setClock(first, 1_600_000, 10_000)
    expect(second.rate).toBe(60)
    expect(serverTime(second, 11_000)).toBe(1_660_000)
  })

  it('runs at the normal pace whatever the delay of a reply', () => {
    const clock = setClock(setClock(null, 0, 500_000), 30_900, 530_000)
    expect(clock.rate).toBe(1)
    expect(serverTime(clock, 531_000)).toBe(31_900)
  })

  it('ignores a second look that comes too soon', () => {
    const clock = setClock(null, 0, 0)
    expect(setClock(clock, 5_000, 1_000)).toEqual(clock)
  })
})

describe('money', () => {
  it('is read without floating point', () => {
    expect([parseMinor('19.99', 'CNY'), parseMinor('0.1', 'CNY'), parseMinor('500', 'JPY')]).toEqual([1999, 10, 500])
    expect([parseMinor('1.999', 'CNY'), parseMinor('1.5', 'JPY'), parseMinor('-3', 'CNY'), parseMinor('', 'CNY')]).toEqual([null, null, null, null])
  })

  it('multiplies thousandths exactly and rounds halves up', () => {
    expect(lineTotal(parseQuantity('1.5')!, 333)).toBe(500)
    expect(lineTotal(10_000_000, 100_000_000)).toBe(1_000_000_000_000)
    expect([parseQuantity('0'), parseQuantity('1.2345'), parseQuantity('x')]).toEqual([null, null, null])
  })
})

describe('being at the site', () => {
  const site = { lon: 121.5, lat: 31.2 }
  const reading = (metresNorth: number, accuracy_m: number): PositionReading => ({
    lon: 121.5, lat: 31.2 + metresNorth / 111_195, datum: 'wgs84', accuracy_m, at: '2026-11-22T08:00:00Z',
  })

  it('grants the stated accuracy up to 100 m and no more', () => {
    expect(atSite(reading(140, 5), site, 150)).toMatchObject({ here: true })
    expect(atSite(reading(240, 100), site, 150)).toMatchObject({ here: true })
    expect(atSite(reading(260, 5_000), site, 150)).toMatchObject({ here: false })
  })

  it('is unknown without a reading, and any reading will do where the ticket has no site', () => {
    expect(atSite(null, site, 150)).toBeNull()
    expect(atSite(reading(0, 5), null, 150)).toEqual({ here: true, distance_m: null })
  })

  it('measures as the globe is round', () => {
    expect(distanceM({ lon: 0, lat: 0 }, { lon: 0, lat: 1 })).toBeCloseTo(111_195, -1)
  })
})

describe('positions', () => {
  const at = (second: number): PositionReading => ({
    lon: 1, lat: 2, datum: 'wgs84', accuracy_m: 5, at: new Date(second * 1_000).toISOString(),
  })

  it('are kept up to a limit, oldest out first, and forgotten once sent', async () => {
    const db = await openPhoneDb(freshDatabase())
    for (let i = 0; i < KEEP_AT_MOST + 3; i++) await keepPosition(db, ANA, at(i))
    expect(await db.count('positions')).toBe(KEEP_AT_MOST)
    const sent: PositionReading[] = []
    await sendPositions(db, { sendPositions: async (batch) => void sent.push(...batch) } as EngineerApi, ANA)
    expect([sent.length, sent[0]?.at]).toEqual([KEEP_AT_MOST, at(3).at])
    expect(await db.count('positions')).toBe(0)
  }, 30_000)

  it('stay when nothing was sent', async () => {
    const db = await openPhoneDb(freshDatabase())
    await keepPosition(db, ANA, at(1))
    const failing = { sendPositions: () => Promise.reject(new Error('down')) } as unknown as EngineerApi
    await expect(sendPositions(db, failing, ANA)).rejects.toThrow('down')
    expect(await db.count('positions')).toBe(1)
  })
})

describe('the live line', () => {
  it('finds events however the bytes are cut', () => {
    const stream = ': ping\r\n\r\nevent: changed\r\ndata: {"seq":1}\r\n\r\nevent: changed\ndata: {}\n\n'
    for (const size of [1, 3, 7, 200]) {
      const seen: string[] = []
      const read = eventReader((name) => seen.push(name))
      for (let i = 0; i < stream.length; i += size) read(stream.slice(i, i + size))
      expect(seen).toEqual(['changed', 'changed'])
    }
  })
})

/** A JPEG's first bytes with an EXIF block: when, offset and place. */
function jpegWithExif(): ArrayBuffer {
  const tiff = new DataView(new ArrayBuffer(400))
  let heap = 200
  const text = (at: number, words: string) => [...words].forEach((c, i) => tiff.setUint8(at + i, c.charCodeAt(0)))
  const entry = (at: number, tag: number, type: number, count: number, value: number) => {
    tiff.setUint16(at, tag)
    tiff.setUint16(at + 2, type)
    tiff.setUint32(at + 4, count)
    tiff.setUint32(at + 8, value)
  }
  const ascii = (at: number, tag: number, words: string) => {
    entry(at, tag, 2, words.length + 1, heap)
    if (words.length < 4) text(at + 8, `${words}\0\0\0`.slice(0, 4))
    else text(heap, words), (heap += words.length + 2)
  }
  const degrees = (at: number, tag: number, parts: [number, number, number]) => {
    entry(at, tag, 5, 3, heap)
    parts.forEach((part, i) => (tiff.setUint32(heap + i * 8, part), tiff.setUint32(heap + i * 8 + 4, 1)))
    heap += 24
  }
  text(0, 'MM')
  tiff.setUint16(2, 42)
  tiff.setUint32(4, 8)
  tiff.setUint16(8, 2)
  entry(10, 0x8769, 4, 1, 50)
  entry(22, 0x8825, 4, 1, 100)
  tiff.setUint16(50, 2)
  ascii(52, 0x9003, '2026:11:22 10:30:00')
  ascii(64, 0x9011, '+08:00')
  tiff.setUint16(100, 4)
  ascii(102, 1, 'N')
  degrees(114, 2, [31, 12, 36])
  ascii(126, 3, 'W')
  degrees(138, 4, [121, 30, 0])
  const file = new Uint8Array(2 + 2 + 2 + 6 + 400)
  file.set([0xff, 0xd8, 0xff, 0xe1, 0x01, 0x98, 0x45, 0x78, 0x69, 0x66, 0, 0])
  file.set(new Uint8Array(tiff.buffer), 12)
  return file.buffer
}

describe('the facts in a photo', () => {
  it('are the camera’s time with its offset and the place', () => {
    const facts = readExif(jpegWithExif())
    expect(facts.takenAt).toBe('2026-11-22T10:30:00+08:00')
    expect(facts.position?.lat).toBeCloseTo(31.21, 6)
    expect(facts.position?.lon).toBeCloseTo(-121.5, 6)
  })

  it('are nothing when the file is cut short or no JPEG', () => {
    const whole = jpegWithExif()
    for (let length = 0; length < whole.byteLength; length += 13) expect(() => readExif(whole.slice(0, length))).not.toThrow()
    expect(readExif(new ArrayBuffer(0))).toEqual({ takenAt: null, position: null })
  })
})
