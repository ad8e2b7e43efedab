import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { Empty } from '../parts/basics'
import { now } from '../state'
import { t } from '../words'
import { Part, useLoaded } from './parts'
import { readFirstTimeFix } from './settings_api'

const SPANS = [7, 30, 90, 365] as const
const DAY_MS = 86_400_000

/** The figures a service is judged by. */
export function Figures(): JSX.Element {
  const [days, setDays] = useState<number>(30)
  return (
    <Part title="first_time_fix" lead="first_time_fix_lead">
      <div class="views" role="group" aria-label={t('figures_span')}>
        {SPANS.map((n) => <button key={n} type="button" class="view" aria-pressed={days === n} onClick={() => setDays(n)}>{t('figures_days', { n })}</button>)}
      </div>
      <FirstTimeFix key={days} days={days} />
    </Part>
  )
}

function FirstTimeFix({ days }: { days: number }): JSX.Element {
  const { value, waiting } = useLoaded(() => {
    const before = now.peek() + 60_000
    return readFirstTimeFix(new Date(before - days * DAY_MS).toISOString(), new Date(before).toISOString())
  })
  if (!value) return waiting!
  if (!value.closed) return <Empty title={t('first_time_fix_none')} hint={t('first_time_fix_none_hint')} />
  const share = value.fixed_first_time / value.closed
  return (
    <div class="figure">
      <strong>{(share * 100).toFixed(1)}%</strong>
      <span class="figure-bar" role="img" aria-label={`${(share * 100).toFixed(1)}%`}><span style={{ width: `${share * 100}%` }} /></span>
      <p>{t('first_time_fix_of', { fixed: value.fixed_first_time, closed: value.closed })}</p>
    </div>
  )
}
