import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { dayTime, durationText } from '../../../shared/formats'
import { asRefused } from '../api'
import { Empty, Loading } from '../parts/basics'
import { promiseState } from '../parts/promise_mark'
import { readPromises, type PromiseLine } from '../rules/rules_api'
import '../styles/rules.css'
import { complain, now, promisesKept, zoneOf } from '../state'
import type { BoardTicket } from '../wire'
import { label, language, t } from '../words'

/** A ticket's promises: what is left, and the ledger that says why. */
export function Promises({ ticket }: { ticket: BoardTicket }): JSX.Element {
  const [lines, setLines] = useState<PromiseLine[] | null>(null)
  useEffect(() => {
    let here = true
    function read(): void {
      readPromises(ticket.ticket_id).then(
        (found) => here && setLines(found.promises),
        (error: unknown) => here && complain(asRefused(error)),
      )
    }
    read()
    return () => {
      here = false
    }
  }, [ticket.ticket_id, ticket.version, promisesKept.value])
  if (!lines) return <Loading />
  if (!lines.length) return <Empty title={t('promise_none')} hint={t('promise_none_hint')} />
  const several = lines.some((line) => line.cycle > 1)
  return (
    <>
      {lines.map((line) => <Clock key={line.clock_id} line={line} several={several} zone={zoneOf(ticket)} />)}
    </>
  )
}

/** Business seconds used by now: what the server counted, and while it runs the ledger's last stretch is open. */
function Clock({ line, several, zone }: { line: PromiseLine; several: boolean; zone: string }): JSX.Element {
  const time = (at: string): string => dayTime(at, zone, now.value, language.value)
  const state = promiseState(line, now.value)
  const used = durationText(line.elapsed_s * 1_000, language.value)
  return (
    <section class="promise" data-state={state}>
      <header>
        <h3>{t(`promise_${line.kind}`)}{several && <small> {t('promise_cycle', { n: line.cycle })}</small>}</h3>
        <span class="tag" data-tone={state === 'broken' || state === 'late' ? 'bad' : state === 'at_risk' || state === 'is_paused' ? 'warn' : undefined}>{t(`promise_${state}`)}</span>
      </header>
      <p>
        {line.due_at && <>{t('promise_due')} <strong>{time(line.due_at)}</strong> · </>}
        {t('promise_used', { used, target: durationText(line.target_s * 1_000, language.value) })}
      </p>
      {line.guess && <p class="rules-note">{t('promise_guess')}</p>}
      <ol class="ledger" aria-label={t('promise_ledger')}>
        {line.spans.map((span) => (
          <li key={span.from_at + String(span.running)} data-running={span.running}>
            <b>{t(span.running ? 'span_running' : 'span_paused')}</b>
            <span>{time(span.from_at)} – {span.to_at ? time(span.to_at) : line.ended_at ? time(line.ended_at) : t('span_until_now')}</span>
            <small>{span.reason ? label('reason', span.reason) : span.business_s !== null ? durationText(span.business_s * 1_000, language.value) : ''}</small>
          </li>
        ))}
      </ol>
      {line.steps.length > 0 && (
        <p class="rules-note">
          {t('promise_steps')}: {line.steps.map((step) => `${t('policy_step', { pct: step.pct, whom: label('whom', step.whom) })} ${time(step.fired_at)}`).join(' · ')}
        </p>
      )}
    </section>
  )
}
