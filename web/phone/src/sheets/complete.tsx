import { useDraft } from '../core/drafts'
import type { ShownTicket } from '../core/overlay'
import type { OutcomeCode } from '../core/wire'
import { label, t } from '../core/words'
import { Choices, Field, Send, Sheet, TextArea } from '../parts/basics'
import { draftPhotos, PhotoTaker } from '../parts/photos'
import { sendAndClose, textFact } from './sending'

const OUTCOMES: OutcomeCode[] = ['fixed', 'temporary', 'not_fixed', 'no_fault', 'refused', 'no_access']
/** Work that was not done leaves little to photograph; the server counts the same way. */
const PHOTOS_AT_MOST: Record<string, number> = { no_access: 1, refused: 0 }

interface Draft {
  outcome: OutcomeCode | ''
  text: string
}

export function CompleteSheet({ ticket }: { ticket: ShownTicket }) {
  const [draft, set, clear] = useDraft<Draft>(`complete:${ticket.ticket_id}`, { outcome: '', text: '' })
  const photos = draftPhotos(ticket.ticket_id, 'completion')
  const wanted = ticket.work_type.completion_photos
  const needed = Math.min(wanted, PHOTOS_AT_MOST[draft.outcome] ?? wanted)
  const have = photos.length
  const ready = draft.outcome !== '' && have >= needed
  const send = async () => {
    if (draft.outcome === '') return
    await sendAndClose(ticket, 'complete', { outcome: draft.outcome, ...textFact(draft.text) }, photos.map((photo) => photo.photo_id))
    clear()
  }
  return (
    <Sheet title={`${label('action', 'complete')} · ${ticket.ticket_no}`} foot={<Send name={label('action', 'complete')} ready={ready} send={send} />}>
      {ticket.quote?.status === 'open' && <p class="warn">{t('quote_open_warning')}</p>}
      <Choices
        name={t('outcome')}
        options={OUTCOMES.map((code) => ({ code, label: label('outcome', code) }))}
        value={draft.outcome}
        choose={(code) => set({ ...draft, outcome: code as OutcomeCode })}
      />
      <h3>
        {t('completion_photos')} <small class={have < needed ? 'bad' : 'good'}>{t('photos_of', { n: have, needed })}</small>
      </h3>
      <PhotoTaker ticketId={ticket.ticket_id} kind="completion" needed={needed} />
      <Field name={t('what_was_done')} optional>
        <TextArea value={draft.text} set={(text) => set({ ...draft, text })} />
      </Field>
    </Sheet>
  )
}
