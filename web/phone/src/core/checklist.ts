/** The checklist as the server judges it (dispatch/domain/evidence_checklist.py): which items are asked, which are missing. */

import type { ChecklistItem, ChecklistValue, OutcomeCode } from './wire'

export type Answers = Record<string, ChecklistValue | ''>

const NOTHING_DONE = new Set(['no_access', 'refused'])

/** The items asked for this outcome with these answers, in order. */
export function asked(items: ChecklistItem[], outcome: OutcomeCode | '', answers: Answers): ChecklistItem[] {
  const found: ChecklistItem[] = []
  for (const item of items) {
    if (item.outcomes ? !item.outcomes.includes(outcome) : NOTHING_DONE.has(outcome)) continue
    const when = item.show_when
    if (when && !(found.some((before) => before.item === when.item) && when.is.includes(answers[when.item] as ChecklistValue))) continue
    found.push(item)
  }
  return found
}

/** The items still to answer or out of bounds. */
export function unfinished(items: ChecklistItem[], outcome: OutcomeCode | '', answers: Answers): string[] {
  return asked(items, outcome, answers).filter((item) => !fits(item, answers[item.item] ?? '')).map((item) => item.item)
}

function fits(item: ChecklistItem, answer: ChecklistValue | ''): boolean {
  if (answer === '') return !item.required
  if (item.kind !== 'number') return true
  const value = Number(answer)
  return Number.isFinite(value) && value >= (item.least ?? -Infinity) && value <= (item.most ?? Infinity)
}

/** The answers to what is asked, as they are sent. */
export function answersToSend(items: ChecklistItem[], outcome: OutcomeCode | '', answers: Answers): { item: string; value: ChecklistValue }[] {
  return asked(items, outcome, answers).flatMap((item) => {
    const value = answers[item.item] ?? ''
    if (value === '') return []
    return [{ item: item.item, value: item.kind === 'number' ? Number(value) : value }]
  })
}
