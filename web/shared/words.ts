/** The two languages, and how an entry of a catalogue becomes a text. */

export type Language = 'zh' | 'en'
export type Entry = readonly [zh: string, en: string]
export type Catalogue = Record<string, Entry>
export type Facts = Record<string, unknown>

/** One side of an entry. */
export function pick(entry: Entry, language: Language): string {
  return language === 'zh' ? entry[0] : entry[1]
}

/** `{name}` replaced by the fact of that name; a name without a fact stays as it is, so that the gap is seen. */
export function fill(text: string, facts: Facts): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (facts[name] == null ? whole : String(facts[name])))
}

/** A code nobody has translated yet, readable: `late_by_far` → "late by far". */
export function readable(code: string): string {
  return code.replaceAll('_', ' ')
}
