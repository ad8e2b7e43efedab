import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { dayTime, durationText } from '../../../shared/formats'
import { Refused, uuid7 } from '../api'
import { Empty, Loading } from '../parts/basics'
import { ticketHash } from '../route'
import { api, complain, engineers, now, say, zoneOf } from '../state'
import type { BulkLine, BulkReport, EngineerRequest } from '../wire'
import { label, language, problemText, t } from '../words'
import { EngineerOut, RebookMany } from './bulk_forms'

const at = (instant: string): string => dayTime(instant, zoneOf(null), now.value, language.value)

/** What engineers ask for; many tickets at once; the reports of both. */
export function BulkPage(): JSX.Element {
  const [reports, setReports] = useState<BulkReport[] | null>(null)
  useEffect(() => {
    api.bulkReports().then((page) => setReports(page.reports), (error) => (complain(error), setReports([])))
  }, [])
  const done = (report: BulkReport): void => setReports([report, ...(reports ?? [])])
  return (
    <main class="page bulk-page">
      <header class="page-head">
        <h1>{t('nav_bulk')}</h1>
        <p>{t('bulk_lead')}</p>
      </header>
      <Requests />
      <div class="bulk-forms">
        <EngineerOut onDone={done} />
        <RebookMany key={reports?.length ?? 0} onDone={done} />
      </div>
      <section>
        <h2>{t('reports')}</h2>
        {!reports && <Loading />}
        {reports?.length === 0 && <Empty title={t('reports_none')} />}
        {reports?.map((report, i) => <Report key={report.report_id} report={report} open={i === 0} />)}
      </section>
    </main>
  )
}

function Requests(): JSX.Element {
  const [requests, setRequests] = useState<EngineerRequest[] | null>(null)
  const load = (): void => void api.requests().then((page) => setRequests(page.requests), (error) => (complain(error), setRequests([])))
  useEffect(load, [])

  async function answer(request: EngineerRequest, verdict: 'approve' | 'refuse'): Promise<void> {
    try {
      await api.answerRequest(request.request_id, uuid7(), verdict)
      say('good', label('request_status', verdict === 'approve' ? 'approved' : 'refused'))
    } catch (error) {
      complain(error)
    }
    load()
  }

  if (!requests) return <Loading />
  const open = requests.filter((one) => one.status === 'open')
  const answered = requests.filter((one) => one.status !== 'open')
  return (
    <section>
      <h2>{t('requests')}{open.length > 0 && <span class="count">{open.length}</span>}</h2>
      {open.length === 0 && <Empty title={t('requests_none')} />}
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

function Report({ report, open }: { report: BulkReport; open: boolean }): JSX.Element {
  const counts = new Map<BulkLine['outcome'], number>()
  for (const line of report.lines) counts.set(line.outcome, (counts.get(line.outcome) ?? 0) + 1)
  const name = engineers.value.find((one) => one.engineer_id === report.facts['engineer'])?.name ?? ''
  return (
    <details class="report" open={open}>
      <summary>
        {at(report.at)} · {t(`report_${report.kind}`, { name })} · {t('report_counts', { n: report.lines.length })}
        {[...counts].map(([outcome, n]) => (
          <span key={outcome} class="tag" data-outcome={outcome}>{t(`report_summary_${outcome}`, { n })}</span>
        ))}
      </summary>
      <ol class="report-lines">
        {report.lines.map((line) => (
          <li key={line.ticket_id} data-outcome={line.outcome}>
            <a href={ticketHash(line.ticket_id)}>{line.ticket_no ?? line.ticket_id}</a>
            <span>{lineText(line)}</span>
          </li>
        ))}
      </ol>
    </details>
  )
}

function lineText(line: BulkLine): string {
  if (line.outcome === 'refused') return t('outcome_line_refused', { why: problemText(new Refused(line.code ?? '', 409, line.facts)) })
  const moved = line.window_from ? t('outcome_line_rebooked', { time: at(line.window_from) }) : ''
  if (line.outcome === 'rebooked') return [moved, line.engineer_name].filter(Boolean).join(' · ')
  const given = t(`outcome_line_${line.outcome}`, { name: line.engineer_name ?? '' })
  return [given, moved].filter(Boolean).join(' · ')
}
