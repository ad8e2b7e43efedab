/** Hours of a day as people write them: "09:00-12:00 13:00-18:00", and as minutes from midnight. */

export type Span = [number, number]

const SPAN = /^(\d{1,2}):(\d{2})[-–~](\d{1,2}):(\d{2})$/

/** The spans, or null where one cannot be read, overlaps or runs backwards. 24:00 is the day's end. */
export function parseHours(text: string): Span[] | null {
  const spans: Span[] = []
  for (const part of text.split(/[\s,，、;；]+/).filter(Boolean)) {
    const found = SPAN.exec(part)
    if (!found) return null
    const [h1, m1, h2, m2] = found.slice(1).map(Number) as [number, number, number, number]
    const from = h1 * 60 + m1
    const to = h2 * 60 + m2
    if (m1 > 59 || m2 > 59 || to > 1440 || from >= to || from < (spans.at(-1)?.[1] ?? 0)) return null
    spans.push([from, to])
  }
  return spans.length ? spans : null
}

export const minuteText = (minute: number): string => `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`

export const hoursText = (spans: readonly Span[]): string => spans.map(([from, to]) => `${minuteText(from)}–${minuteText(to)}`).join(' ')
