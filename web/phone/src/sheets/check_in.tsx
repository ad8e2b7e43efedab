import { useEffect } from 'preact/hooks'
import { ageS, freshReading, watchPosition } from '../core/app'
import { atSite, type AtSite } from '../core/at_site'
import { useDraft } from '../core/drafts'
import type { ShownTicket } from '../core/overlay'
import reasons from '../core/reasons.json'
import { position, positionProblem, reach } from '../core/state'
import { ageText, distanceText, label, t } from '../core/words'
import { Choices, Field, Send, Sheet, TextArea } from '../parts/basics'
import { Icon } from '../parts/icons'
import { draftPhotos, PhotoTaker } from '../parts/photos'
import { sendAndClose, textFact } from './sending'

/** Arriving, proven: a photo, where the phone is, and why when that is not at the site. Nothing here waits for the network. */
export function CheckInSheet({ ticket }: { ticket: ShownTicket }) {
  const [draft, set, clear] = useDraft(`check_in:${ticket.ticket_id}`, { reason: '', text: '' })
  useEffect(watchPosition, [])
  const reading = freshReading()
  const verdict = atSite(reading, ticket.site, ticket.work_type.check_in_radius_m)
  const mustSayWhy = !verdict?.here
  const photos = draftPhotos(ticket.ticket_id, 'check_in')
  const said = draft.reason !== '' && (draft.reason !== 'other' || draft.text.trim() !== '')
  const send = async () => {
    const why = mustSayWhy ? { reason: draft.reason } : {}
    const facts = { ...(reading ? { position: reading } : {}), ...why, ...textFact(draft.text) }
    await sendAndClose(ticket, 'check_in', facts, photos.map((photo) => photo.photo_id))
    clear()
  }
  const ready = photos.length > 0 && (!mustSayWhy || said)
  return (
    <Sheet title={`${label('action', 'check_in')} · ${ticket.ticket_no}`} foot={<Send name={label('action', 'check_in')} ready={ready} send={send} />}>
      <h3>{t('check_in_photo')}</h3>
      <p class="sub">{t(reach.value === 'online' ? 'check_in_photo_hint' : 'photo_may_follow')}</p>
      <PhotoTaker ticketId={ticket.ticket_id} kind="check_in" needed={1} />
      <h3>{t('your_position')}</h3>
      <PositionLine verdict={verdict} stale={reading === null} />
      {mustSayWhy && (
        <Choices
          name={t('why_not_at_site')}
          options={reasons.override.map((code) => ({ code, label: label('reason', code) }))}
          value={draft.reason}
          choose={(reason) => set({ ...draft, reason })}
        />
      )}
      <Field name={t('note_text')} optional={draft.reason !== 'other'}>
        <TextArea value={draft.text} set={(text) => set({ ...draft, text })} />
      </Field>
    </Sheet>
  )
}

function PositionLine({ verdict, stale }: { verdict: AtSite | null; stale: boolean }) {
  const fix = position.value
  const problem = positionProblem.value
  if (!fix) {
    return (
      <p class={problem ? 'place bad' : 'place'}>
        <Icon name="pin" />
        <span>{t(problem === 'denied' ? 'position_denied' : problem ? 'position_unavailable' : 'locating')}</span>
      </p>
    )
  }
  const facts = `${t('accuracy', { n: Math.round(fix.accuracy_m) })} · ${ageText(ageS(fix))}`
  const here = verdict?.here === true
  const away = verdict?.distance_m ?? null
  const words = stale ? t('position_old') : away === null ? t('site_unknown') : here ? t('at_site') : t('not_at_site', { distance: distanceText(away) })
  return (
    <p class={here ? 'place good' : 'place bad'}>
      <Icon name={here ? 'check' : 'pin'} />
      <span>
        <b>{words}</b>
        <small>{facts}</small>
      </span>
    </p>
  )
}
