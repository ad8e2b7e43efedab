import { useEffect, useState } from 'preact/hooks'
import { api } from '../core/app'
import { Refused } from '../core/api'
import { goInstead, openSheet, route } from '../core/route'
import { notice, shown } from '../core/state'
import { uuid7 } from '../core/uuid7'
import type { RequestKind, RequestLine } from '../core/wire'
import { clockTime, dayName, dayTime, label, minutesText, problemText, t } from '../core/words'
import { Empty, say, SheetMeanwhile } from '../parts/basics'
import { Icon } from '../parts/icons'
import { lazy } from '../parts/lazy'
import { ReachChip, Strips } from '../parts/pieces'

const AskSheet = lazy(() => import('../sheets/ask').then((m) => m.AskSheet), SheetMeanwhile)

/** Asked for here; what belongs to a ticket is asked on the ticket's own page. */
const HERE: RequestKind[] = ['overtime', 'leave']

/** What I asked the dispatchers for, and what became of it. */
export function RequestsScreen() {
  const [requests, setRequests] = useState<RequestLine[] | null>(null)
  const [failed, setFailed] = useState(false)
  const { sheet } = route.value
  const kind = HERE.find((one) => one === sheet)
  const read = () => api.requests().then((found) => (setRequests(found), setFailed(false)), () => setFailed(true))
  useEffect(() => void read(), [sheet, shown.value?.as_of_seq])
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
        {failed ? (
          <Empty icon="alert" title={t('needs_network')} />
        ) : !requests ? (
          <Empty icon="clock" title={t('loading')} />
        ) : requests.length === 0 ? (
          <Empty icon="check" title={t('no_requests')} hint={t('no_requests_hint')} />
        ) : (
          <ul class="rows">
            {requests.map((request) => (
              <OneRequest key={request.request_id} request={request} changed={read} />
            ))}
          </ul>
        )}
      </main>
      {kind && <AskSheet kind={kind} />}
    </>
  )
}

function OneRequest({ request, changed }: { request: RequestLine; changed: () => Promise<void> }) {
  const [busy, setBusy] = useState(false)
  const withdraw = async () => {
    setBusy(true)
    try {
      await api.withdrawRequest(request.request_id, uuid7())
    } catch (error) {
      if (error instanceof Refused) notice.value = { text: problemText(error.problem), bad: true }
      else say('needs_network', true)
    }
    setBusy(false)
    await changed()
  }
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
          <button type="button" class="plain withdraw" disabled={busy} onClick={() => void withdraw()}>
            {t('withdraw_request')}
          </button>
        )}
      </div>
    </li>
  )
}

function inWords({ kind, facts }: RequestLine): string {
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
