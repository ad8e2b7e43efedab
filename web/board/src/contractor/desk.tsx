import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { countdown, dayTime, windowText } from '../../../shared/formats'
import { Choice, FormDialog, textOf } from '../admin/forms'
import { ProofDialog } from '../admin/proof_dialog'
import { asRefused, uuid7 } from '../api'
import { Empty, PriorityMark, StatusPill } from '../parts/basics'
import { DECLINE_REASONS, HAND_BACK_REASONS } from './reasons'
import { Part, useLoaded } from '../settings/parts'
import { readWhole } from '../settings/settings_api'
import '../styles/admin.css'
import '../styles/settings.css'
import { api } from '../state'
import type { BoardTicket, Instant, Uuid } from '../wire'
import { label, language, own, t } from '../words'

export interface DeskTicket extends Pick<BoardTicket, 'ticket_id' | 'ticket_no' | 'status' | 'priority' | 'work_type' | 'description' | 'address' | 'window' | 'due_at' | 'engineer_id' | 'engineer_name' | 'allowed_actions'> {
  offer_id: Uuid | null
  expires_at: Instant | null
  name_by: Instant | null
}

interface Work {
  now: Instant
  tickets: DeskTicket[]
  engineers: { engineer_id: Uuid; name: string }[]
}

const EVERY_MS = 10_000

/** All of it, page by page. */
const read = (): Promise<Work> => readWhole('/contractor', 'tickets')
const zone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone

type Open = { does: 'accept' | 'decline' | 'name' | 'back'; ticket: DeskTicket } | null

/** What a contractor's dispatcher works with: what is asked of the company, and what it took. */
export function ContractorDesk(): JSX.Element {
  const { value, reload, waiting } = useLoaded(read)
  const [open, setOpen] = useState<Open>(null)
  const [ms, setMs] = useState(Date.now())
  useEffect(() => {
    const reading = setInterval(() => document.hidden || void reload(), EVERY_MS)
    const ticking = setInterval(() => setMs(Date.now()), 1_000)
    return () => (clearInterval(reading), clearInterval(ticking))
  }, [])
  if (!value) return <main class="page">{waiting}</main>
  const asked = value.tickets.filter((one) => one.offer_id)
  const taken = value.tickets.filter((one) => !one.offer_id)
  const form = (does: NonNullable<Open>['does'], ticket: DeskTicket) => () => setOpen({ does, ticket })
  return (
    <main class="page contractor-desk">
      <header class="page-head">
        <h1>{t('nav_desk')}</h1>
        <p>{t('desk_lead')}</p>
      </header>
      <Part title="desk_asked">
        {!asked.length && <Empty title={t('desk_asked_none')} />}
        <ul class="desk-list">
          {asked.map((ticket) => (
            <Line key={ticket.offer_id} ticket={ticket} ms={ms}>
              {ticket.expires_at && <span class="due" data-tone="soon">{t('desk_answer_by', { time: countdown(Date.parse(ticket.expires_at) - ms) })}</span>}
              <button type="button" class="button primary" aria-label={`${t('desk_accept')}: ${ticket.ticket_no}`} onClick={form('accept', ticket)}>{t('desk_accept')}</button>
              <button type="button" class="button" aria-label={`${t('desk_decline')}: ${ticket.ticket_no}`} onClick={form('decline', ticket)}>{t('desk_decline')}</button>
            </Line>
          ))}
        </ul>
      </Part>
      <Part title="desk_taken">
        {!taken.length && <Empty title={t('desk_taken_none')} hint={t('desk_taken_none_hint')} />}
        <ul class="desk-list">
          {taken.map((ticket) => (
            <Line key={ticket.ticket_id} ticket={ticket} ms={ms}>
              {ticket.allowed_actions.includes('name_engineer') && (
                <button type="button" class={`button ${ticket.engineer_id ? '' : 'primary'}`} aria-label={`${t('desk_name')}: ${ticket.ticket_no}`} onClick={form('name', ticket)}>
                  {t('desk_name')}
                </button>
              )}
              {ticket.allowed_actions.includes('hand_back') && (
                <button type="button" class="button" aria-label={`${t('desk_back')}: ${ticket.ticket_no}`} onClick={form('back', ticket)}>{t('desk_back')}</button>
              )}
            </Line>
          ))}
        </ul>
      </Part>
      {open && <DeskForm key={open.ticket.ticket_id} {...open} engineers={value.engineers} reload={reload} onClose={() => setOpen(null)} />}
      <ProofDialog />
    </main>
  )
}

function Line({ ticket, ms, children }: { ticket: DeskTicket; ms: number; children: ComponentChildren }): JSX.Element {
  const late = ticket.name_by !== null && Date.parse(ticket.name_by) < ms
  return (
    <li>
      <div class="desk-what">
        <p>
          <span class="number">{ticket.ticket_no}</span> <strong>{own(ticket.work_type.name)}</strong>{' '}
          <StatusPill ticket={{ status: ticket.status, acknowledged: true }} /> <PriorityMark priority={ticket.priority} />
        </p>
        <p>{ticket.description}</p>
        <small>
          {[
            ticket.address,
            ticket.window && windowText(ticket.window.start, ticket.window.end, zone(), ms, language.value),
            ticket.engineer_name && `${t('engineer')}: ${ticket.engineer_name}`,
          ].filter(Boolean).join(' · ')}
        </small>
        {ticket.name_by && !ticket.engineer_id && (
          <span class="tag" data-tone="warn">{late ? t('desk_name_late') : t('desk_name_by', { time: dayTime(ticket.name_by, zone(), ms, language.value) })}</span>
        )}
      </div>
      <div class="desk-does">{children}</div>
    </li>
  )
}

const TITLES = { accept: 'desk_accept', decline: 'desk_decline', name: 'desk_name', back: 'desk_back' } as const

function DeskForm({ does, ticket, engineers, reload, onClose }: NonNullable<Open> & { engineers: Work['engineers']; reload: () => Promise<void>; onClose: () => void }): JSX.Element {
  const [commandId] = useState(uuid7)
  const act = (action: string, facts: object): Promise<unknown> => api.act(ticket.ticket_id, commandId, action, facts)
  async function save(form: FormData): Promise<void> {
    const engineer = textOf(form, 'engineer_id')
    try {
      if (does === 'decline') await act('decline_offer', { offer_id: ticket.offer_id, reason: textOf(form, 'reason') })
      else if (does === 'back') await act('hand_back', { reason: textOf(form, 'reason') })
      else if (does === 'name') await act('name_engineer', { engineer_id: engineer })
      else await act('accept_offer', { offer_id: ticket.offer_id, ...(engineer ? { engineer_id: engineer } : {}) })
    } catch (error) {
      if (asRefused(error).status === 409) void reload()
      throw error
    }
    await reload()
  }
  const reasons = does === 'decline' ? DECLINE_REASONS : does === 'back' ? HAND_BACK_REASONS : null
  const names = engineers.map((one): [string, string] => [one.engineer_id, one.name])
  return (
    <FormDialog title={TITLES[does]} {...(does === 'back' ? { hint: 'desk_back_hint' as const } : {})} save={save} onClose={onClose}>
      <p>{ticket.ticket_no} · {own(ticket.work_type.name)}</p>
      {reasons
        ? <Choice name="reason" label="desk_reason" options={reasons.map((one) => [one, label('reason', one)])} />
        : <Choice name="engineer_id" label="engineer" value={ticket.engineer_id ?? ''} options={does === 'accept' ? [['', t('desk_name_later')], ...names] : names} />}
      {!reasons && !names.length && <p class="note" data-tone="warn">{t('desk_engineers_none')}</p>}
    </FormDialog>
  )
}
