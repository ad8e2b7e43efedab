import { useDraft } from '../core/drafts'
import type { ShownTicket } from '../core/overlay'
import { label, t } from '../core/words'
import { Field, Send, Sheet, TextArea } from '../parts/basics'
import { sendAndClose, textFact } from './sending'

export function TextSheet({ ticket, action }: { ticket: ShownTicket; action: 'note' | 'resolve_remotely' | 'refuse_quote' }) {
  const [text, set, clear] = useDraft(`${action}:${ticket.ticket_id}`, '')
  const send = async () => {
    await sendAndClose(ticket, action, textFact(text))
    clear()
  }
  return (
    <Sheet title={`${label('action', action)} · ${ticket.ticket_no}`} foot={<Send name={t('send')} ready={text.trim() !== '' || action === 'refuse_quote'} send={send} />}>
      <Field name={t(action === 'resolve_remotely' ? 'what_was_done' : 'note_text')} optional={action === 'refuse_quote'}>
        <TextArea value={text} set={set} />
      </Field>
    </Sheet>
  )
}

export function TurnBackSheet({ ticket }: { ticket: ShownTicket }) {
  const [text, set, clear] = useDraft(`turn_back:${ticket.ticket_id}`, '')
  const send = async () => {
    await sendAndClose(ticket, 'turn_back', textFact(text))
    clear()
  }
  return (
    <Sheet title={`${label('action', 'turn_back')} · ${ticket.ticket_no}`} foot={<Send name={label('action', 'turn_back')} ready send={send} danger />}>
      <p class="lead">{t('turn_back_lead')}</p>
      <Field name={t('note_text')} optional>
        <TextArea value={text} set={set} />
      </Field>
    </Sheet>
  )
}

/** The wall-clock value two hours on, as the input writes it. */
function twoHoursLater(wall: string): string {
  const end = new Date(`${wall}:00Z`)
  if (Number.isNaN(end.getTime())) return ''
  return new Date(end.getTime() + 7_200_000).toISOString().slice(0, 16)
}

/** A call made, and perhaps a window agreed. The window is either whole or absent. */
export function ContactSheet({ ticket }: { ticket: ShownTicket }) {
  const [draft, set, clear] = useDraft(`contact:${ticket.ticket_id}`, { text: '', from: '', to: '' })
  const { text, from, to } = draft
  const backwards = from !== '' && to !== '' && Date.parse(to) <= Date.parse(from)
  const ready = text.trim() !== '' && (from === '') === (to === '') && !backwards
  const send = async () => {
    const agreed = from && to ? { window_from: new Date(from).toISOString(), window_to: new Date(to).toISOString() } : {}
    await sendAndClose(ticket, 'contact', { ...textFact(text), ...agreed })
    clear()
  }
  const { phone } = ticket.contact
  return (
    <Sheet title={`${label('action', 'contact')} · ${ticket.ticket_no}`} foot={<Send name={t('send')} ready={ready} send={send} />}>
      {phone && (
        <a class="plain wide" href={`tel:${phone.replace(/[^+\d]/g, '')}`}>
          {t('call')} {ticket.contact.name} {phone}
        </a>
      )}
      <Field name={t('contact_hint')}>
        <TextArea value={text} set={(next) => set({ ...draft, text: next })} />
      </Field>
      <h3>
        {t('agreed_window')} <small>{t('optional')}</small>
      </h3>
      <div class="stack">
        <Field name={t('from')}>
          <input type="datetime-local" value={from} onInput={(e) => set({ ...draft, from: e.currentTarget.value, to: to || twoHoursLater(e.currentTarget.value) })} />
        </Field>
        <Field name={t('to')}>
          <input type="datetime-local" value={to} onInput={(e) => set({ ...draft, to: e.currentTarget.value })} />
        </Field>
      </div>
      {backwards && <p class="bad">{t('window_backwards')}</p>}
    </Sheet>
  )
}
