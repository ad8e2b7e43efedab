import type { JSX } from 'preact'
import { dayTime, durationText } from '../../../shared/formats'
import { uuid7 } from '../api'
import { Empty } from '../parts/basics'
import { MoreButton, usePaged } from '../settings/parts'
import { api, complain, now, say, zoneOf } from '../state'
import type { EngineerRequest, Uuid } from '../wire'
import { label, language, t } from '../words'

const at = (instant: string): string => dayTime(instant, zoneOf(null), now.value, language.value)

/** What engineers ask for, to be approved or refused; with `ticketId` what they ask about that ticket, and nothing where they ask nothing. */
export function Requests({ ticketId }: { ticketId?: Uuid }): JSX.Element | null {
  const { rows, next, reload, waiting, failed } = usePaged(async (page) => {
    const found = await api.requests(ticketId ?? null, page)
    return { rows: found.requests, next: found.next_page }
  })

  async function answer(request: EngineerRequest, verdict: 'approve' | 'refuse'): Promise<void> {
    try {
      await api.answerRequest(request.request_id, uuid7(), verdict)
      say('good', label('request_status', verdict === 'approve' ? 'approved' : 'refused'))
    } catch (error) {
      complain(error)
    }
    await reload()
  }

  const requests = rows ?? []
  if (ticketId && !requests.length && !failed) return null
  if (!rows) return waiting
  const open = requests.filter((one) => one.status === 'open')
  const answered = requests.filter((one) => one.status !== 'open')
  return (
    <section>
      <h2>{t('requests')}{open.length > 0 && <span class="count">{open.length}</span>}</h2>
      {open.length === 0 && !failed && <Empty title={t('requests_none')} />}
      <ul class="requests">
        {open.map((one) => (
          <RequestRow key={one.request_id} request={one}>
            <button type="button" class="button primary small" aria-label={t('request_approve_name', { name: one.engineer_name })} onClick={() => void answer(one, 'approve')}>{t('request_approve')}</button>
            <button type="button" class="button small" aria-label={t('request_refuse_name', { name: one.engineer_name })} onClick={() => void answer(one, 'refuse')}>{t('request_refuse')}</button>
          </RequestRow>
        ))}
      </ul>
      {answered.length > 0 && (
        <details>
          <summary>{t('requests_done', { n: answered.length })}</summary>
          <ul class="requests">
            {answered.map((one) => (
              <RequestRow key={one.request_id} request={one}>
                <small>{label('request_status', one.status)}{one.answered_by && ` · ${one.answered_by}`}</small>
              </RequestRow>
            ))}
          </ul>
        </details>
      )}
      {waiting}
      <MoreButton next={next} />
    </section>
  )
}

function RequestRow({ request, children }: { request: EngineerRequest; children: JSX.Element | JSX.Element[] }): JSX.Element {
  return (
    <li class="request">
      <span class="tag">{label('request', request.kind)}</span>
      <strong>{request.engineer_name}</strong>
      <span class="request-text">
        {requestText(request)}
        {request.status === 'open' && request.booked > 0 && <small>{t('request_leave_booked', { n: request.booked })}</small>}
      </span>
      <small>{at(request.asked_at)}</small>
      {children}
    </li>
  )
}

function requestText({ kind, facts, ticket_no }: EngineerRequest): string {
  const fact = (name: string): string => String(facts[name] ?? '')
  if (kind === 'overtime') return t('request_overtime_text', { day: fact('day'), minutes: durationText(Number(facts['minutes']) * 60_000, language.value) })
  if (kind === 'leave') return t('request_leave_text', { from: at(fact('starts_at')), to: at(fact('ends_at')) })
  if (kind === 'discount') return t('request_discount_text', { no: ticket_no ?? '', percent: fact('percent') })
  return t('request_part_text', { no: ticket_no ?? '', part: fact('part'), quantity: fact('quantity') })
}
