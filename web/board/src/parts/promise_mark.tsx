import type { JSX } from 'preact'
import { durationText } from '../../../shared/formats'
import { now } from '../state'
import type { PromiseCard } from '../wire'
import { language, t } from '../words'

type Ending = { ended?: 'met' | 'dropped' | null; late?: boolean }
export type PromiseState = 'met' | 'late' | 'dropped' | 'is_paused' | 'broken' | 'at_risk' | 'running'

/** How a promise stands at `ms`, derived: nothing is flagged. */
export function promiseState(promise: Pick<PromiseCard, 'due_at' | 'at_risk_at' | 'paused_reason'> & Ending, ms: number): PromiseState {
  if (promise.ended === 'dropped') return 'dropped'
  if (promise.ended === 'met') return promise.late ? 'late' : 'met'
  if (promise.due_at && Date.parse(promise.due_at) < ms) return 'broken'
  if (promise.paused_reason) return 'is_paused'
  return promise.at_risk_at && Date.parse(promise.at_risk_at) <= ms ? 'at_risk' : 'running'
}

/** The promise due first: what is left of it, or how late it is. */
export function PromiseMark({ promise }: { promise: PromiseCard }): JSX.Element {
  const state = promiseState(promise, now.value)
  const kind = t(`promise_${promise.kind}`)
  const ms = promise.due_at ? Math.abs(Date.parse(promise.due_at) - now.value) : 0
  const time = durationText(ms, language.value)
  const text = !promise.due_at ? t('promise_paused', { kind }) : t(state === 'broken' ? 'promise_over' : 'promise_left', { kind, time })
  return <span class="promise-mark" data-state={state}>{text}</span>
}
