import { useDraft } from '../core/drafts'
import type { ShownTicket } from '../core/overlay'
import reasons from '../core/reasons.json'
import { now } from '../core/state'
import { label, t } from '../core/words'
import { Choices, Field, Send, Sheet, TextArea } from '../parts/basics'
import { sendAndClose, textFact } from './sending'

const HOUR_MS = 3_600_000

/** The end of a hold, counted from server time; '' leaves it to the reason's usual length. */
function endOf(until: string, nowMs: number): string | null {
  if (until === 'h2') return new Date(nowMs + 2 * HOUR_MS).toISOString()
  if (until === 'd3') return new Date(nowMs + 72 * HOUR_MS).toISOString()
  if (until === 'd7') return new Date(nowMs + 168 * HOUR_MS).toISOString()
  if (until !== 'tomorrow') return null
  const morning = new Date(nowMs)
  morning.setDate(morning.getDate() + 1)
  morning.setHours(8, 0, 0, 0)
  return morning.toISOString()
}

export function HoldSheet({ ticket }: { ticket: ShownTicket }) {
  const [draft, set, clear] = useDraft(`hold:${ticket.ticket_id}`, { reason: '', until: 'tomorrow', keep: true, text: '' })
  const ready = draft.reason !== '' && (draft.reason !== 'other' || draft.text.trim() !== '')
  const send = async () => {
    const until = endOf(draft.until, now.value)
    const facts = { reason: draft.reason, keep_engineer: draft.keep, ...(until ? { until } : {}), ...textFact(draft.text) }
    await sendAndClose(ticket, 'hold', facts)
    clear()
  }
  const ends = [
    { code: 'h2', label: t('until_hours', { n: 2 }) },
    { code: 'tomorrow', label: t('until_tomorrow') },
    { code: 'd3', label: t('until_days', { n: 3 }) },
    { code: 'd7', label: t('until_days', { n: 7 }) },
    { code: '', label: t('until_open') },
  ]
  return (
    <Sheet title={`${label('action', 'hold')} · ${ticket.ticket_no}`} foot={<Send name={label('action', 'hold')} ready={ready} send={send} />}>
      <Choices
        name={t('which_reason')}
        options={reasons.hold.map((code) => ({ code, label: label('reason', code) }))}
        value={draft.reason}
        choose={(reason) => set({ ...draft, reason })}
      />
      <Choices name={t('until_when')} options={ends} value={draft.until} choose={(until) => set({ ...draft, until })} />
      <label class="tick">
        <input type="checkbox" checked={draft.keep} onChange={(e) => set({ ...draft, keep: e.currentTarget.checked })} />
        {t('keep_me')}
      </label>
      <Field name={t('note_text')} optional={draft.reason !== 'other'}>
        <TextArea value={draft.text} set={(text) => set({ ...draft, text })} />
      </Field>
    </Sheet>
  )
}
