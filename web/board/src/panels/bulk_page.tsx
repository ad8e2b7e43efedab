import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { dayTime } from '../../../shared/formats'
import { Refused } from '../api'
import { Empty } from '../parts/basics'
import { ticketHash } from '../route'
import { MoreButton, usePaged } from '../settings/parts'
import { api, engineers, now, zoneOf } from '../state'
import type { BulkLine, BulkReport } from '../wire'
import { language, problemText, t } from '../words'
import { EngineerOut, RebookMany } from './bulk_forms'
import { Requests } from './requests'

const at = (instant: string): string => dayTime(instant, zoneOf(null), now.value, language.value)

/** What engineers ask for; many tickets at once; the reports of both. */
export function BulkPage(): JSX.Element {
  const { rows: reports, next, reload, waiting } = usePaged(async (page) => {
    const found = await api.bulkReports(page)
    return { rows: found.reports, next: found.next_page }
  })
  const [times, setTimes] = useState(0)
  const done = (): void => (setTimes(times + 1), void reload())
  return (
    <main class="page bulk-page">
      <header class="page-head">
        <h1>{t('nav_bulk')}</h1>
        <p>{t('bulk_lead')}</p>
      </header>
      <Requests />
      <div class="bulk-forms">
        <EngineerOut onDone={done} />
        <RebookMany key={times} onDone={done} />
      </div>
      <section>
        <h2>{t('reports')}</h2>
        {waiting}
        {reports?.length === 0 && <Empty title={t('reports_none')} />}
        {reports?.map((report, i) => <Report key={report.report_id} report={report} open={i === 0} />)}
        <MoreButton next={next} />
      </section>
    </main>
  )
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
