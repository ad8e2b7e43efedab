import { Suspense } from 'preact/compat'
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { FORMS, groupActions } from '../forms/forms'
import { Empty, IconButton, Loading, PriorityMark, StatusPill } from '../parts/basics'
import { Icon } from '../parts/icons'
import { later } from '../parts/later'
import { go } from '../route'
import { act, api, board, complain, loadTicket, me, say, selected, selectedId, ticketProblem, ticketView } from '../state'
import type { BoardTicket, TicketView } from '../wire'
import { label, own, problemText, t, tryText } from '../words'
import { ActionForm } from './action_form'
import { Candidates } from './candidates'
import { Receipts } from './receipts'
import { Details } from './ticket_details'
import { History } from './ticket_history'
import { Photos } from './ticket_photos'
import { Promises } from './ticket_promises'

const Work = later(() => import('./ticket_proof').then((module) => module.Work))
const Money = later(() => import('./ticket_proof').then((module) => module.Money))

type Tab = 'details' | 'promises' | 'candidates' | 'receipts' | 'photos' | 'proof' | 'money' | 'history'
const TABS: readonly Tab[] = ['details', 'promises', 'candidates', 'receipts', 'photos', 'proof', 'money', 'history']
/** What a contractor's dispatcher may read of a ticket; the steps are taken at their desk. */
const OUTSIDE_TABS: readonly Tab[] = ['details', 'promises', 'photos', 'history']
const isOutside = (): boolean => me.value?.role === 'contractor'
const tabsOf = (): readonly Tab[] => (isOutside() ? OUTSIDE_TABS : TABS)

export function TicketPanel(): JSX.Element {
  const id = selectedId.value!
  return (
    <section class="ticket-panel" aria-label={t('ticket')}>
      <Inside key={id} />
    </section>
  )
}

function Inside(): JSX.Element {
  const [tab, setTab] = useState<Tab>('details')
  const [form, setForm] = useState<string | null>(null)
  const problem = ticketProblem.value
  const toCandidates = (): void => {
    setTab('candidates')
    document.getElementById('tab-candidates')?.focus()
  }
  useEffect(() => {
    // Where the panel covers the queue, the reader is in the panel.
    if (matchMedia('(max-width: 980px)').matches) document.querySelector<HTMLElement>('.ticket-head .only-narrow')?.focus()
  }, [])
  const ticket = selected.value
  const view = ticketView.value?.ticket.ticket_id === selectedId.value ? ticketView.value : null
  if (problem) {
    return (
      <>
        <Head ticket={null} />
        <Empty title={t('ticket_gone')} hint={problemText(problem)} />
      </>
    )
  }
  if (!ticket) {
    return (
      <>
        <Head ticket={null} />
        <Loading />
      </>
    )
  }
  return (
    <>
      <Head ticket={ticket} />
      <div class="ticket-scroll">
        <div class="ticket-title">
          <h2>{own(ticket.work_type.name)}</h2>
          <p>{ticket.description}</p>
        </div>
        {ticket.attention && !isOutside() && <Attention ticket={ticket} code={ticket.attention} onForm={setForm} onCandidates={toCandidates} />}
        {form && view ? (
          <ActionForm key={form} action={form} view={view} onClose={() => setForm(null)} />
        ) : (
          <Actions
            ticket={ticket}
            onForm={setForm}
            onCandidates={toCandidates}
          />
        )}
        <div class="tabs" role="tablist" aria-label={t('ticket')} onKeyDown={(event) => tabKeys(event, tab, setTab)}>
          {tabsOf().map((one) => (
            <button
              key={one}
              type="button"
              role="tab"
              id={`tab-${one}`}
              aria-selected={tab === one}
              aria-controls="tab-panel"
              tabIndex={tab === one ? 0 : -1}
              onClick={() => setTab(one)}
            >
              {t(`tab_${one}`)}
              {one === 'photos' && view && view.evidence.length > 0 && <span class="count">{view.evidence.length}</span>}
            </button>
          ))}
        </div>
        <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${tab}`} class="tab-panel">
          {view ? <TabBody tab={tab} view={view} /> : <Loading />}
        </div>
      </div>
    </>
  )
}

function tabKeys(event: KeyboardEvent, tab: Tab, setTab: (tab: Tab) => void): void {
  const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
  if (!step) return
  const tabs = tabsOf()
  const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length]!
  setTab(next)
  document.getElementById(`tab-${next}`)?.focus()
}

function TabBody({ tab, view }: { tab: Tab; view: TicketView }): JSX.Element {
  if (tab === 'details') return <Details view={view} />
  if (tab === 'promises') return <Promises ticket={view.ticket} />
  if (tab === 'candidates') return <Candidates ticket={view.ticket} />
  if (tab === 'receipts') return <Receipts ticket={view.ticket} />
  if (tab === 'photos') return <Photos view={view} />
  if (tab === 'proof') return <Suspense fallback={<Loading />}><Work view={view} /></Suspense>
  if (tab === 'money') return <Suspense fallback={<Loading />}><Money view={view} /></Suspense>
  return <History view={view} />
}

function Head({ ticket }: { ticket: BoardTicket | null }): JSX.Element {
  return (
    <header class="ticket-head">
      <IconButton icon="back" name={t('back')} class="only-narrow" onClick={() => go('#/')} />
      {ticket && (
        <>
          <span class="number">{ticket.ticket_no}</span>
          <StatusPill ticket={ticket} />
          <PriorityMark priority={ticket.priority} />
        </>
      )}
      <span class="spring" />
      <IconButton icon="close" name={t('close')} class="only-wide" onClick={() => go('#/')} />
    </header>
  )
}

/** The action that usually answers an attention code. */
const ANSWERS: Record<string, string> = {
  needs_position: 'amend',
  manual: 'assign',
  no_candidate: 'assign',
  offers_ran_out: 'assign',
  not_acknowledged: 'assign',
  offer_unseen: 'assign',
  rejected: 'rebook',
  urged: 'contact',
}

/** What is wrong, what to do about it, and the button that does it. */
function Attention(props: { ticket: BoardTicket; code: string; onForm: (action: string) => void; onCandidates: () => void }): JSX.Element {
  const { ticket, code } = props
  const answer = ANSWERS[code]
  return (
    <div class="attention" role="note">
      <Icon name="alert" />
      <div>
        <strong>{label('attention', code)}</strong>
        <p>{tryText(`attention_${code}_do`) ?? t('attention_other_do')}</p>
        {answer && ticket.allowed_actions.includes(answer) && (
          <button type="button" class="button small" onClick={() => (answer === 'assign' ? props.onCandidates() : props.onForm(answer))}>
            {answer === 'assign' ? t('see_candidates') : actionName(answer, ticket)}
          </button>
        )}
      </div>
    </div>
  )
}

/** An engineer already there makes `assign` a reassignment. */
function actionName(action: string, ticket: BoardTicket): string {
  if (action === 'assign' && ticket.engineer_id) return t('action_reassign')
  return label('action', action)
}

function Actions({ ticket, onForm, onCandidates }: { ticket: BoardTicket; onForm: (action: string) => void; onCandidates: () => void }): JSX.Element {
  const [busy, setBusy] = useState(false)
  const groups = groupActions(ticket.allowed_actions)
  const matching = ticket.status === 'open' && ticket.allowed_actions.includes('offer')

  async function begin(action: string): Promise<void> {
    if (action === 'assign' || action === 'offer') return onCandidates()
    if (FORMS[action]?.fields.length) return onForm(action)
    setBusy(true)
    await act(ticket.ticket_id, action, {})
    setBusy(false)
  }

  async function matchNow(): Promise<void> {
    setBusy(true)
    try {
      const receipt = await api.match(ticket.ticket_id)
      const chosen = receipt.candidates.find((one) => one.engineer_id === receipt.chosen_engineer_id)
      say(chosen ? 'good' : 'bad', chosen ? t('match_done_chosen', { name: chosen.name }) : t('match_done_none'))
      void loadTicket(ticket.ticket_id)
    } catch (error) {
      complain(error)
    }
    setBusy(false)
  }

  const button = (action: string, kind: string): JSX.Element => (
    <button key={action} type="button" class={`button ${kind}`} disabled={busy} onClick={() => void begin(action)}>
      {actionName(action, ticket)}
    </button>
  )
  if (isOutside()) return <p class="no-actions"><a href="#/desk">{t('desk_steps')}</a></p>
  if (!ticket.allowed_actions.length) return <p class="no-actions">{t('no_actions')}</p>
  return (
    <div class="actions" role="group" aria-label={t('actions')}>
      {groups.forward.map((action, i) => button(action, i === 0 ? 'primary' : ''))}
      {matching && (
        <button type="button" class="button" disabled={busy} onClick={() => void matchNow()}>
          {t('match_now')}
        </button>
      )}
      {groups.beside.map((action) => button(action, ''))}
      {groups.undoing.map((action) => button(action, 'danger'))}
    </div>
  )
}

/** The browser's tab names the open ticket, and how many wait for the dispatcher: it is read from other tabs too. */
export function useTitle(): void {
  const ticket = selected.value
  const waiting = isOutside() ? 0 : (board.value?.attention_count ?? 0)
  useEffect(() => {
    const name = ticket ? `${ticket.ticket_no} · ${t('app')}` : `${t('app')} · ${t('sign_in_lead')}`
    document.title = waiting > 0 ? `(${waiting}) ${name}` : name
  }, [ticket?.ticket_no, waiting])
}
