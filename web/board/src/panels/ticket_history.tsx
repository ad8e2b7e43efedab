import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { ageText, dayTime } from '../../../shared/formats'
import { Empty } from '../parts/basics'
import { engineers, now, zoneOf } from '../state'
import type { HistoryLine, TicketView } from '../wire'
import { label, language, t } from '../words'

const FIRST = 30

export function History({ view }: { view: TicketView }): JSX.Element {
  const [all, setAll] = useState(false)
  const lines = [...view.history].sort((a, b) => b.seq - a.seq)
  if (!lines.length) return <Empty title={t('history_empty')} />
  const shown = all ? lines : lines.slice(0, FIRST)
  return (
    <>
      <ol class="history">
        {shown.map((line) => (
          <Line key={line.seq} line={line} zone={zoneOf(view.ticket)} />
        ))}
      </ol>
      {lines.length > shown.length && (
        <button type="button" class="button wide" onClick={() => setAll(true)}>{t('history_more', { n: lines.length - shown.length })}</button>
      )}
    </>
  )
}

function Line({ line, zone }: { line: HistoryLine; zone: string }): JSX.Element {
  const moved = line.to_status && line.to_status !== line.from_status
  const details = factTexts(line.facts)
  return (
    <li data-status={line.to_status ?? undefined}>
      <div class="history-head">
        <strong>{label('action', line.action)}</strong>
        {moved && <span class="pill" data-status={line.to_status}>{label('status', line.to_status!)}</span>}
        <time dateTime={line.at} title={ageText(now.value - Date.parse(line.at), language.value)}>{dayTime(line.at, zone, now.value, language.value)}</time>
      </div>
      <p class="history-who">
        {[label('actor', line.actor), line.actor_name].filter(Boolean).join(' ')}
        {line.acting_for && <span class="tag" data-tone="warn">{t('acting_for', { name: line.acting_for })}</span>}
        {details && <span> · {details}</span>}
      </p>
      {line.text && <p class="history-text">{line.text}</p>}
    </li>
  )
}

const nameOf = (id: unknown): string | null => engineers.value.find((one) => one.engineer_id === id)?.name ?? null

/** The facts of an event a reader wants: who, why, how it ended. Ids and hashes stay out. */
function factTexts(facts: Record<string, unknown>): string {
  const texts = [
    nameOf(facts['engineer'] ?? facts['engineer_id']),
    facts['reason'] ? label('reason', String(facts['reason'])) : null,
    facts['outcome'] ? label('outcome', String(facts['outcome'])) : null,
    ...(Array.isArray(facts['flags']) ? facts['flags'].map((flag) => label('flag', String(flag))) : []),
  ]
  return texts.filter(Boolean).join(' · ')
}
