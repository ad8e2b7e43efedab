import type { ChecklistItem } from '../wire'
import { label, own, t } from '../words'

/** An answer in words, as its item asks for it. */
export function answerText(value: unknown, item: ChecklistItem | undefined): string {
  if (typeof value === 'boolean') return t(value ? 'answer_yes' : 'answer_no')
  if (item?.kind === 'photo' || item?.kind === 'signature') return label('item_kind', item.kind)
  const choice = item?.choices?.find((one) => one.code === value)
  return choice ? own(choice.label) : [String(value ?? '–'), item?.unit].filter(Boolean).join(' ')
}
