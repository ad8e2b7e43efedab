import { useDraft } from '../core/drafts'
import reasons from '../core/reasons.json'
import type { ActionFacts } from '../core/wire'
import { label, t } from '../core/words'
import { Choices, Field, Send, Sheet, TextArea } from '../parts/basics'
import { sendAndClose, textFact } from './sending'

interface Props {
  ticket: { ticket_id: string; ticket_no: string }
  action: 'hand_back' | 'decline_offer' | 'reject'
  facts?: ActionFacts
}

/** Giving a ticket or an offer back, or the customer not accepting: one reason, and words where the reason is "other". */
export function ReasonSheet({ ticket, action, facts = {} }: Props) {
  const [draft, set, clear] = useDraft(`${action}:${ticket.ticket_id}`, { reason: '', text: '' })
  const ready = draft.reason !== '' && (draft.reason !== 'other' || draft.text.trim() !== '')
  const send = async () => {
    await sendAndClose(ticket, action, { ...facts, reason: draft.reason, ...textFact(draft.text) })
    clear()
  }
  return (
    <Sheet title={`${label('action', action)} · ${ticket.ticket_no}`} foot={<Send name={label('action', action)} ready={ready} send={send} danger />}>
      <Choices
        name={t('which_reason')}
        options={reasons[action].map((code) => ({ code, label: label('reason', code) }))}
        value={draft.reason}
        choose={(reason) => set({ ...draft, reason })}
      />
      <Field name={t('note_text')} optional={draft.reason !== 'other'}>
        <TextArea value={draft.text} set={(text) => set({ ...draft, text })} />
      </Field>
    </Sheet>
  )
}
