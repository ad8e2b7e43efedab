import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { dayTime } from '../../../shared/formats'
import { Select } from '../forms/fields'
import { Empty, Loading } from '../parts/basics'
import { decidingPart, refusalText, scoreText, travelText } from '../refusals'
import { api, catalogue, complain, engineers, now, zoneOf } from '../state'
import type { BoardTicket, Candidate, Receipt } from '../wire'
import { label, language, t } from '../words'

/** Each stored decision: why this engineer, and why not another. */
export function Receipts({ ticket }: { ticket: BoardTicket }): JSX.Element {
  const [receipts, setReceipts] = useState<Receipt[] | null>(null)
  useEffect(() => {
    api.receipts(ticket.ticket_id).then(
      (page) => setReceipts([...page.receipts].sort((a, b) => Date.parse(b.decided_at) - Date.parse(a.decided_at))),
      (error) => (complain(error), setReceipts([])),
    )
  }, [ticket.ticket_id, ticket.version])
  if (!receipts) return <Loading />
  if (!receipts.length) return <Empty title={t('receipt_none')} />
  return (
    <div class="receipts">
      {receipts.map((receipt, i) => (
        <details key={receipt.receipt_id ?? i} open={i === 0} class="receipt">
          <summary>
            {dayTime(receipt.decided_at, zoneOf(ticket), now.value, language.value)} · {label('mode', receipt.mode)} · {chosenName(receipt) ?? t('receipt_nobody')}
          </summary>
          <ReceiptBody receipt={receipt} />
        </details>
      ))}
    </div>
  )
}

const chosenOf = (receipt: Receipt): Candidate | undefined => receipt.candidates.find((one) => one.engineer_id === receipt.chosen_engineer_id)
const chosenName = (receipt: Receipt): string | undefined => chosenOf(receipt)?.name

function ReceiptBody({ receipt }: { receipt: Receipt }): JSX.Element {
  const [other, setOther] = useState('')
  const chosen = chosenOf(receipt)
  const eligible = receipt.candidates.filter((one) => one.eligible)
  const runnerUp = receipt.candidates.find((one) => one.engineer_id === receipt.runner_up_engineer_id) ?? eligible.find((one) => one !== chosen)
  const most = Math.max(1, ...eligible.slice(0, 6).map((one) => one.score ?? 0))
  const asked = receipt.candidates.find((one) => one.engineer_id === other)
  const names = new Map([...engineers.value, ...receipt.candidates].map((one) => [one.engineer_id, one.name]))
  return (
    <>
      {chosen && (
        <div class="why">
          <h4>{t('receipt_why', { name: chosen.name })}</h4>
          <p>
            {eligible.length > 1
              ? t('receipt_best', { n: eligible.length, score: scoreText(chosen.score ?? 0) })
              : t('receipt_only', { score: scoreText(chosen.score ?? 0) })}
            {travelText(chosen) && ` · ${travelText(chosen)}`}
          </p>
          {runnerUp && <Against better={chosen} worse={runnerUp} />}
        </div>
      )}
      <ol class="ranked">
        {eligible.slice(0, 5).map((one) => (
          <li key={one.engineer_id} data-chosen={one === chosen}>
            <span class="rank">{one.rank}</span>
            <span class="ranked-name">{one.name}</span>
            <ScoreBar parts={one.parts} most={most} />
            <b>{one.score === null ? '' : scoreText(one.score)}</b>
          </li>
        ))}
      </ol>
      <PartsLegend parts={Object.keys(eligible[0]?.parts ?? {})} />
      <div class="field why-not">
        <label for={`why-not-${receipt.receipt_id}`}>{t('receipt_why_not')}</label>
        <Select
          id={`why-not-${receipt.receipt_id}`}
          value={other}
          onChange={setOther}
          options={[...names].filter(([id]) => id !== receipt.chosen_engineer_id).sort((a, b) => a[1].localeCompare(b[1], language.value))}
        />
        {other && (asked ? <WhyNot asked={asked} chosen={chosen} /> : <WhyNotNow key={other} ticketId={receipt.ticket_id} engineerId={other} />)}
      </div>
      <p class="hint">{t('receipt_seq', { n: receipt.as_of_seq })} · {t(receipt.travel_source.startsWith('road') ? 'travel_by_road' : 'travel_estimated')}</p>
      {receipt.holds !== null && (
        <p class="hint" data-holds={receipt.holds}>
          {receipt.holds ? '✓' : '✗'} {t(receipt.holds ? 'receipt_holds' : 'receipt_broken')}
        </p>
      )}
    </>
  )
}

function Against({ better, worse }: { better: Candidate; worse: Candidate }): JSX.Element | null {
  const part = decidingPart(better, worse)
  if (!part || better.score === null || worse.score === null) return null
  return <p>{t('receipt_runner_up', { name: worse.name, diff: scoreText(worse.score - better.score), part: label('part', part) })}</p>
}

/** Somebody the decision did not look at, judged now by the server. */
function WhyNotNow({ ticketId, engineerId }: { ticketId: string; engineerId: string }): JSX.Element {
  const [line, setLine] = useState<Candidate | null>(null)
  useEffect(() => {
    api.whyNot(ticketId, engineerId).then((found) => setLine(found.candidate), complain)
  }, [ticketId, engineerId])
  if (!line) return <Loading />
  return (
    <>
      <p>{t('receipt_not_seen')}</p>
      {line.eligible ? <p>{t('receipt_fits_now', { score: scoreText(line.score ?? 0) })}</p> : <Refusals line={line} />}
    </>
  )
}

function Refusals({ line }: { line: Candidate }): JSX.Element {
  return (
    <ul class="refusals">
      {line.refusals.map((refusal) => (
        <li key={refusal.rule}>{refusalText(refusal, catalogue.value)}</li>
      ))}
    </ul>
  )
}

function WhyNot({ asked, chosen }: { asked: Candidate; chosen: Candidate | undefined }): JSX.Element {
  if (!asked.eligible) return <Refusals line={asked} />
  const part = chosen ? decidingPart(chosen, asked) : null
  const facts = { rank: asked.rank, score: scoreText(asked.score ?? 0) }
  if (!chosen || !part) return <p>{t('receipt_ranked_same', facts)}</p>
  return <p>{t('receipt_ranked', { ...facts, diff: scoreText((asked.score ?? 0) - (chosen.score ?? 0)), part: label('part', part) })}</p>
}

/** The parts of a score side by side, each as long as its minutes. */
export function ScoreBar({ parts, most }: { parts: Record<string, number>; most: number }): JSX.Element {
  const shown = Object.entries(parts).filter(([, minutes]) => minutes > 0)
  const words = shown.map(([part, minutes]) => `${label('part', part)} ${scoreText(minutes)}`).join(', ')
  return (
    <span class="score-bar" role="img" aria-label={words} title={words}>
      {shown.map(([part, minutes]) => (
        <span key={part} data-part={part} style={{ width: `${(minutes / most) * 100}%` }} />
      ))}
    </span>
  )
}

function PartsLegend({ parts }: { parts: string[] }): JSX.Element | null {
  if (!parts.length) return null
  return (
    <p class="parts-legend" aria-hidden="true">
      {parts.map((part) => (
        <span key={part} data-part={part}>{label('part', part)}</span>
      ))}
    </p>
  )
}
