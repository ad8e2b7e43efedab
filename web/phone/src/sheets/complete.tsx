import { answersToSend, unfinished, type Answers } from '../core/checklist'
import { useDraft } from '../core/drafts'
import type { ShownTicket } from '../core/overlay'
import type { ActionFacts, MachineDone, OutcomeCode } from '../core/wire'
import { label, own, t } from '../core/words'
import { Choices, Field, Send, Sheet, TextArea } from '../parts/basics'
import { Checklist } from '../parts/checklist'
import { PartsUsed, readParts, type PartDraft } from '../parts/parts_used'
import { draftPhotos, PhotoTaker } from '../parts/photos'
import { sendAndClose, textFact } from './sending'

const OUTCOMES: OutcomeCode[] = ['fixed', 'temporary', 'not_fixed', 'no_fault', 'refused', 'no_access']
/** Work that was not done leaves little to photograph; the server counts the same way. */
const PHOTOS_AT_MOST: Record<string, number> = { no_access: 1, refused: 0 }

interface MachineDraft {
  outcome: OutcomeCode | ''
  answers: Answers
}

interface Draft {
  outcome: OutcomeCode | ''
  text: string
  answers: Answers
  parts: PartDraft[]
  machines: Record<string, MachineDraft>
}

const EMPTY: Draft = { outcome: '', text: '', answers: {}, parts: [], machines: {} }
const NEW_MACHINE: MachineDraft = { outcome: '', answers: {} }
const outcomes = () => OUTCOMES.map((code) => ({ code, label: label('outcome', code) }))

/** The first thing still to tell, in the order of the sheet; null when all is told. */
function missing(draft: Draft, ticket: ShownTicket, have: number, needed: number): string | null {
  const items = ticket.checklist ?? []
  const machines = ticket.machines ?? []
  const itemName = (code: string) => own(items.find((one) => one.item === code)!.label)
  if (draft.outcome === '') return t('outcome')
  for (const { asset_id, name } of machines) {
    const { outcome, answers } = draft.machines[asset_id] ?? NEW_MACHINE
    const [item] = unfinished(items, outcome, answers)
    if (outcome === '' || item) return `${own(name)} · ${item && outcome !== '' ? itemName(item) : t('outcome')}`
  }
  const [item] = machines.length ? [] : unfinished(items, draft.outcome, draft.answers)
  if (item) return itemName(item)
  if (have < needed) return t('completion_photos')
  return readParts(draft.parts) === null ? t('parts_used') : null
}

export function CompleteSheet({ ticket }: { ticket: ShownTicket }) {
  const [kept, set, clear] = useDraft<Draft>(`complete:${ticket.ticket_id}`, EMPTY)
  const draft = { ...EMPTY, ...kept }
  const items = ticket.checklist ?? []
  const machines = ticket.machines ?? []
  const photos = draftPhotos(ticket.ticket_id, 'completion')
  const wanted = ticket.work_type.completion_photos
  const needed = Math.min(wanted, PHOTOS_AT_MOST[draft.outcome] ?? wanted)
  const have = photos.length
  const parts = readParts(draft.parts)
  const machineOf = (id: string) => draft.machines[id] ?? NEW_MACHINE
  const lacks = missing(draft, ticket, have, needed)
  const send = async () => {
    if (draft.outcome === '' || parts === null) return
    const done: MachineDone[] = machines.map(({ asset_id }) => {
      const { outcome, answers } = machineOf(asset_id)
      return { asset_id, outcome: outcome || 'fixed', checklist: answersToSend(items, outcome, answers) }
    })
    const checklist = machines.length ? [] : answersToSend(items, draft.outcome, draft.answers)
    const facts: ActionFacts = {
      outcome: draft.outcome, ...textFact(draft.text),
      ...(checklist.length ? { checklist } : {}), ...(parts.length ? { parts_used: parts } : {}), ...(done.length ? { machines: done } : {}),
    }
    await sendAndClose(ticket, 'complete', facts, photos.map((photo) => photo.photo_id))
    clear()
  }
  const setMachine = (id: string, change: Partial<MachineDraft>) =>
    set({ ...draft, machines: { ...draft.machines, [id]: { ...machineOf(id), ...change } } })
  return (
    <Sheet title={`${label('action', 'complete')} · ${ticket.ticket_no}`} foot={
      <>
        {lacks && <p class="lacks sub">{t('still_missing', { what: lacks })}</p>}
        <Send name={label('action', 'complete')} ready={lacks === null} send={send} />
      </>
    }>
      {ticket.quote?.status === 'open' && <p class="warn">{t('quote_open_warning')}</p>}
      <Choices name={t('outcome')} options={outcomes()} value={draft.outcome} choose={(code) => set({ ...draft, outcome: code as OutcomeCode })} />
      {machines.map((machine) => (
        <section key={machine.asset_id} class="machine">
          <h3>
            {own(machine.name)} <small>{machine.serial ?? ''}</small>
          </h3>
          <Choices name={`${t('outcome')} · ${own(machine.name)} ${machine.serial ?? ''}`} options={outcomes()} value={machineOf(machine.asset_id).outcome} choose={(code) => setMachine(machine.asset_id, { outcome: code as OutcomeCode })} />
          <Checklist ticketId={ticket.ticket_id} items={items} outcome={machineOf(machine.asset_id).outcome} answers={machineOf(machine.asset_id).answers} set={(answers) => setMachine(machine.asset_id, { answers })} />
        </section>
      ))}
      {!machines.length && draft.outcome !== '' && (
        <Checklist ticketId={ticket.ticket_id} items={items} outcome={draft.outcome} answers={draft.answers} set={(answers) => set({ ...draft, answers })} />
      )}
      <h3>
        {t('completion_photos')} <small class={have < needed ? 'bad' : 'good'}>{t('photos_of', { n: have, needed })}</small>
      </h3>
      <PhotoTaker ticketId={ticket.ticket_id} kind="completion" needed={needed} />
      <PartsUsed lines={draft.parts} set={(lines) => set({ ...draft, parts: lines })} />
      <Field name={t('what_was_done')} optional>
        <TextArea value={draft.text} set={(text) => set({ ...draft, text })} />
      </Field>
    </Sheet>
  )
}
