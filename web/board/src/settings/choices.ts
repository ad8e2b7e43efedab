import type { ChecklistItem } from '../wire'

/** One choice a line: 中文 | English. Its code is its place, so that a choice renamed stays the same choice. */
export function readChoices(text: string, known: NonNullable<ChecklistItem['choices']>): NonNullable<ChecklistItem['choices']> {
  const lines = text.split('\n').map((line) => line.trim()).filter(Boolean)
  return lines.map((line, n) => {
    const [zh = '', en = ''] = line.split(/[|｜]/).map((part) => part.trim())
    return { code: known[n]?.code ?? `choice_${n + 1}`, label: { zh: zh || en, en: en || zh } }
  })
}

export const choicesText = (choices: ChecklistItem['choices']): string => (choices ?? []).map((one) => `${one.label.zh} | ${one.label.en}`).join('\n')
