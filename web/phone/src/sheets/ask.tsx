import { useEffect, useState } from 'preact/hooks'
import { actRequest, api } from '../core/app'
import { useDraft } from '../core/drafts'
import { parseQuantity } from '../core/money'
import type { ShownTicket } from '../core/overlay'
import { closeSheet } from '../core/route'
import { now, reach } from '../core/state'
import { keepStock, keptParts } from '../core/stock'
import type { RequestKind, RequestWanted, StockLine } from '../core/wire'
import { own, t } from '../core/words'
import { Choices, Field, say, Send, Sheet } from '../parts/basics'

const DAY_MS = 86_400_000
const MINUTES = [30, 60, 90, 120, 180]
const PERCENTS = [5, 10, 15, 20, 30]

/** The local day or minute of an instant, as the browser's own fields take it. */
function localText(ms: number, length: 10 | 16): string {
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, length)
}

interface Draft {
  day: string
  minutes: string
  from: string
  to: string
  percent: string
  part: string
  quantity: string
}

/** What this draft asks for, or null while something is missing. */
export function wantedOf(kind: RequestKind, draft: Draft): Omit<RequestWanted, 'command_id' | 'kind' | 'ticket_id'> | null {
  if (kind === 'overtime') return draft.day && draft.minutes ? { day: draft.day, minutes: Number(draft.minutes) } : null
  if (kind === 'leave') {
    const [from, to] = [Date.parse(draft.from), Date.parse(draft.to)]
    return from < to ? { starts_at: new Date(from).toISOString(), ends_at: new Date(to).toISOString() } : null
  }
  if (kind === 'discount') return draft.percent ? { percent: Number(draft.percent) } : null
  const quantity = parseQuantity(draft.quantity)
  return draft.part && quantity ? { part: draft.part, quantity: (quantity / 1_000).toFixed(3) } : null
}

/** Something a dispatcher must allow. Without reception it waits in the queue like every other tap. */
export function AskSheet({ kind, ticket }: { kind: RequestKind; ticket?: ShownTicket }) {
  const tomorrow = now.value + DAY_MS
  const [draft, set, clear] = useDraft<Draft>(`ask:${kind}:${ticket?.ticket_id ?? ''}`, {
    day: localText(now.value, 10), minutes: '60', from: `${localText(tomorrow, 10)}T08:00`, to: `${localText(tomorrow, 10)}T18:00`, percent: '', part: '', quantity: '1',
  })
  const wanted = wantedOf(kind, draft)
  const send = async () => {
    if (!wanted) return
    await actRequest({ kind, wanted: { kind, ...(ticket ? { ticket_id: ticket.ticket_id } : {}), ...wanted } }, ticket)
    clear()
    say(reach.value === 'online' ? 'request_sent' : 'request_kept')
    closeSheet()
  }
  const title = t(`ask_${kind}`)
  return (
    <Sheet title={ticket ? `${title} · ${ticket.ticket_no}` : title} foot={<Send name={t('send_request')} ready={wanted !== null} send={send} />}>
      {kind === 'overtime' && (
        <>
          <Field name={t('request_day')}>
            <input type="date" value={draft.day} min={localText(now.value, 10)} onInput={(e) => set({ ...draft, day: e.currentTarget.value })} />
          </Field>
          <Choices name={t('request_minutes')} options={MINUTES.map((n) => ({ code: String(n), label: t('minutes', { n }) }))} value={draft.minutes} choose={(minutes) => set({ ...draft, minutes })} />
        </>
      )}
      {kind === 'leave' && (
        <>
          <Field name={t('request_from')}>
            <input type="datetime-local" value={draft.from} onInput={(e) => set({ ...draft, from: e.currentTarget.value })} />
          </Field>
          <Field name={t('request_to')}>
            <input type="datetime-local" value={draft.to} min={draft.from} onInput={(e) => set({ ...draft, to: e.currentTarget.value })} />
          </Field>
          {!wanted && <p class="warn">{t('request_span_wrong')}</p>}
        </>
      )}
      {kind === 'discount' && (
        <>
          <Choices name={t('request_percent')} options={PERCENTS.map((n) => ({ code: String(n), label: t('percent_off', { n }) }))} value={draft.percent} choose={(percent) => set({ ...draft, percent })} />
          <p class="sub">{t('discount_hint')}</p>
        </>
      )}
      {kind === 'part' && <PartChoice draft={draft} set={set} />}
    </Sheet>
  )
}

function PartChoice({ draft, set }: { draft: Draft; set: (draft: Draft) => void }) {
  const [parts, setParts] = useState<StockLine[]>(keptParts)
  useEffect(() => void api.stock().then((stock) => setParts(keepStock(stock).parts), () => undefined), [])
  return (
    <>
      <Field name={t('part')}>
        <select value={draft.part} onChange={(e) => set({ ...draft, part: e.currentTarget.value })}>
          <option value="">{t('choose')}</option>
          {parts.map((one) => (
            <option key={one.part} value={one.part}>
              {own(one.name)}
            </option>
          ))}
        </select>
      </Field>
      {parts.length === 0 && <p class="warn">{t('needs_network')}</p>}
      <Field name={t('quantity')}>
        <input type="text" inputMode="decimal" value={draft.quantity} onInput={(e) => set({ ...draft, quantity: e.currentTarget.value })} />
      </Field>
      <p class="sub">{t('part_hint')}</p>
    </>
  )
}
