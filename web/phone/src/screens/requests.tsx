import { useEffect, useRef, useState } from 'preact/hooks'
import { actRequest, api } from '../core/app'
import { goInstead, openSheet, route } from '../core/route'
import { session, shown, waitingCommands } from '../core/state'
import type { RequestKind, RequestLine } from '../core/wire'
import { clockTime, dayName, dayTime, label, minutesText, t } from '../core/words'
import { Empty, say, SheetMeanwhile } from '../parts/basics'
import { Icon } from '../parts/icons'
import { lazy } from '../parts/lazy'
import { ReachChip, Strips } from '../parts/pieces'

const AskSheet = lazy(() => import('../sheets/ask').then((m) => m.AskSheet), SheetMeanwhile)

/** Asked for here; what belongs to a ticket is asked on the ticket's own page. */
const HERE: RequestKind[] = ['overtime', 'leave']

/** What I asked the dispatchers for, and what became of it. */
export function RequestsScreen() {
  const kept = `requests:${session.value?.engineer_id ?? ''}`
  const [requests, setRequests] = useState<RequestLine[] | null>(() => JSON.parse(localStorage.getItem(kept) ?? 'null') as RequestLine[] | null)
  const [next, setNext] = useState<string | null>(null)
  const [failed, setFailed] = useState(false)
  const turn = useRef(0)
  const waiting = waitingCommands.value.filter((command) => command.request)
  const withdrawn = new Set(waiting.map((command) => command.request?.withdraw))
  const { sheet } = route.value
  const kind = HERE.find((one) => one === sheet)
  /** The first page stands for the list without reception. What was asked for last is what is shown. */
  const read = async (page?: string) => {
    const mine = ++turn.current
    try {
      const found = await api.requests(page)
      if (mine !== turn.current) return
      setRequests((known) => (page && known ? [...known, ...found.requests] : found.requests))
      setNext(found.next_page)
      setFailed(false)
      if (!page) localStorage.setItem(kept, JSON.stringify(found.requests))
    } catch {
      if (mine === turn.current) setFailed(true)
      if (page) say('needs_network')
    }
  }
  useEffect(() => void read(), [sheet, waiting.length, shown.value?.as_of_seq])
  return (
    <>
      <header class="head">
        <button type="button" class="round" aria-label={t('back')} onClick={() => goInstead('me')}>
          <Icon name="back" />
        </button>
        <h1>{t('my_requests')}</h1>
        <ReachChip />
      </header>
      <main class="page">
        <Strips />
        <div class="pair">
          {HERE.map((one) => (
            <button key={one} type="button" class="plain" onClick={() => openSheet(one, '')}>
              <Icon name="plus" size={18} />
              {t(`request_${one}`)}
            </button>
          ))}
        </div>
        {waiting.length > 0 && (
          <ul class="rows">
            {waiting.map(({ command_id, ticket_no, request }) => (
              <li key={command_id} class="request-row">
                <div class="row">
                  <b>{t(`request_${request!.kind}`)}</b>
                  <span class="pill">{t(request!.wanted ? 'not_sent_yet' : 'withdraw_request')}</span>
                  {ticket_no}
                </div>
                {request!.wanted && <p>{inWords({ kind: request!.kind, facts: request!.wanted })}</p>}
              </li>
            ))}
          </ul>
        )}
        {!requests ? (
          <Empty icon={failed ? 'alert' : 'clock'} title={t(failed ? 'needs_network' : 'loading')} />
        ) : requests.length === 0 ? (
          <Empty icon="check" title={t('no_requests')} hint={t('no_requests_hint')} />
        ) : (
          <ul class="rows">
            {requests.map((request) => (
              <OneRequest key={request.request_id} request={request} withdrawn={withdrawn.has(request.request_id)} />
            ))}
          </ul>
        )}
        {next && (
          <button type="button" class="plain wide" onClick={() => void read(next)}>
            {t('more_tickets')}
          </button>
        )}
      </main>
      {kind && <AskSheet kind={kind} />}
    </>
  )
}

function OneRequest({ request, withdrawn }: { request: RequestLine; withdrawn: boolean }) {
  return (
    <li class="request-row">
      <div class="row">
        <b>{t(`request_${request.kind}`)}</b>
        <span class={`pill r-${request.status}`}>{label('request', request.status)}</span>
        {request.ticket_no && (
          <a class="number" href={`#/ticket/${request.ticket_id}`}>
            {request.ticket_no}
          </a>
        )}
      </div>
      <p>{inWords(request)}</p>
      <div class="row">
        <small class="sub">
          {request.answered_at ? t('answered_by', { name: request.answered_by ?? '', time: dayTime(request.answered_at) }) : t('asked_at', { time: dayTime(request.asked_at) })}
        </small>
        {request.status === 'open' && (
          <button type="button" class="plain withdraw" disabled={withdrawn} onClick={() => void actRequest({ kind: request.kind, withdraw: request.request_id })}>
            {t('withdraw_request')}
          </button>
        )}
      </div>
    </li>
  )
}

function inWords({ kind, facts }: Pick<RequestLine, 'kind' | 'facts'>): string {
  if (kind === 'overtime') return `${dayName(`${facts.day}T12:00`)} · ${minutesText(facts.minutes ?? 0)}`
  if (kind === 'leave') return leaveText(facts.starts_at ?? '', facts.ends_at ?? '')
  if (kind === 'discount') return t('percent_off', { n: facts.percent ?? 0 })
  return `${facts.part} × ${Number(facts.quantity)}`
}

/** The day is said once where one day holds all of it. */
function leaveText(from: string, to: string): string {
  const sameDay = dayName(from) === dayName(to)
  return `${dayName(from)} ${clockTime(from)} – ${sameDay ? '' : `${dayName(to)} `}${clockTime(to)}`
}
