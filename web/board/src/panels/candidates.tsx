import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { clockTime } from '../../../shared/formats'
import { asRefused, uuid7, type Refused } from '../api'
import { Empty, Loading } from '../parts/basics'
import { candidateIds } from '../map/map_state'
import { refusalText, scoreText, travelText } from '../refusals'
import { act, api, catalogue, complain, zoneOf } from '../state'
import type { BoardTicket, Candidate, Receipt, Refusal } from '../wire'
import { problemText, t } from '../words'
import { ScoreBar } from './receipts'
import { Override } from './override'

/** Every engineer as the match sees them now: assign one, or offer to some. */
export function Candidates({ ticket }: { ticket: BoardTicket }): JSX.Element {
  const [match, setMatch] = useState<Receipt | null>(null)
  const [problem, setProblem] = useState<Refused | null>(null)
  const [chosen, setChosen] = useState<readonly string[]>([])
  const [text, setText] = useState('')
  const [broken, setBroken] = useState<{ candidate: Candidate; refusals: Refusal[] } | null>(null)
  const [busy, setBusy] = useState(false)
  const offerId = useRef(uuid7())
  const mayAssign = ticket.allowed_actions.includes('assign')
  const mayOffer = ticket.allowed_actions.includes('offer')

  async function load(): Promise<void> {
    setProblem(null)
    try {
      setMatch(await api.candidates(ticket.ticket_id))
    } catch (error) {
      const refused = asRefused(error)
      if (refused.status === 401) complain(refused)
      else setProblem(refused)
    }
  }
  useEffect(() => void load(), [ticket.ticket_id, ticket.status, ticket.engineer_id, ticket.site?.lon])
  useEffect(() => {
    candidateIds.value = (match?.candidates ?? []).filter((one) => one.eligible).slice(0, 5).map((one) => one.engineer_id)
    return () => void (candidateIds.value = [])
  }, [match])

  async function assign(candidate: Candidate, facts: object = {}): Promise<void> {
    if (!candidate.eligible && !('confirm_broken_rules' in facts)) return setBroken({ candidate, refusals: candidate.refusals })
    setBusy(true)
    const done = await act(ticket.ticket_id, 'assign', { engineer_id: candidate.engineer_id, ...facts }, (refused) => {
      // The rules may have changed since the list was made: the server says which are broken now.
      const rules = refused.facts['broken_rules']
      if (refused.code !== 'action_not_ready' || !Array.isArray(rules)) return false
      setBroken({ candidate, refusals: rules as Refusal[] })
      return true
    })
    setBusy(false)
    if (done) setBroken(null)
  }

  async function offer(): Promise<void> {
    setBusy(true)
    if (await act(ticket.ticket_id, 'offer', { engineer_ids: chosen }, undefined, offerId.current)) setChosen([])
    offerId.current = uuid7()
    setBusy(false)
  }

  if (problem && !match) {
    return (
      <Empty title={t('candidates_error')} hint={problemText(problem)}>
        <button type="button" class="button" onClick={() => void load()}>{t('retry')}</button>
      </Empty>
    )
  }
  if (!match) return <Loading text={t('candidates_loading')} />
  if (!match.candidates.length && !ticket.site) return <Empty title={t('attention_needs_position')} hint={t('attention_needs_position_do')} />
  const wanted = text.trim().toLowerCase()
  const shown = match.candidates.filter((one) => !wanted || one.name.toLowerCase().includes(wanted))
  const fit = shown.filter((one) => one.eligible)
  const unfit = shown.filter((one) => !one.eligible)
  const most = Math.max(1, ...match.candidates.map((one) => one.score ?? 0))
  const row = (candidate: Candidate): JSX.Element => (
    <CandidateRow
      key={candidate.engineer_id}
      candidate={candidate}
      most={most}
      current={candidate.engineer_id === ticket.engineer_id}
      mayAssign={mayAssign && !busy}
      chosen={mayOffer && candidate.eligible ? chosen.includes(candidate.engineer_id) : null}
      onChoose={(on) => setChosen(on ? [...chosen, candidate.engineer_id] : chosen.filter((id) => id !== candidate.engineer_id))}
      onAssign={() => void assign(candidate)}
    />
  )
  return (
    <div class="candidates">
      <div class="candidates-tools">
        <input type="search" aria-label={t('candidates_find')} placeholder={t('candidates_find')} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        <button type="button" class="button small" onClick={() => void load()}>{t('refresh')}</button>
      </div>
      <p class="hint">
        {t('matched_at', { time: clockTime(match.decided_at, zoneOf(ticket)) })} · {t(match.travel_source.startsWith('road') ? 'travel_by_road' : 'travel_estimated')} · {t('score_hint')}
      </p>
      {fit.length === 0 && !wanted && <Empty title={t('candidates_none')} />}
      {fit.length > 0 && (
        <section>
          <h3>{t('candidates_fit', { n: fit.length })}</h3>
          <ol>{fit.map(row)}</ol>
        </section>
      )}
      {unfit.length > 0 && (
        <details open={fit.length === 0 || Boolean(wanted)}>
          <summary>{t('candidates_unfit', { n: unfit.length })}</summary>
          <ol>{unfit.map(row)}</ol>
        </details>
      )}
      {chosen.length > 0 && (
        <div class="form-buttons sticky">
          <button type="button" class="button primary wide" disabled={busy} onClick={() => void offer()}>{t('offer_to_chosen', { n: chosen.length })}</button>
        </div>
      )}
      {broken && (
        <Override
          name={broken.candidate.name}
          refusals={broken.refusals}
          busy={busy}
          onClose={() => setBroken(null)}
          onConfirm={(reason, why) => void assign(broken.candidate, { confirm_broken_rules: true, reason, ...(why ? { text: why } : {}) })}
        />
      )}
    </div>
  )
}

function CandidateRow(props: {
  candidate: Candidate
  most: number
  current: boolean
  mayAssign: boolean
  /** null: no offer can be made to them. */
  chosen: boolean | null
  onChoose: (on: boolean) => void
  onAssign: () => void
}): JSX.Element {
  const { candidate } = props
  return (
    <li class="candidate" data-eligible={candidate.eligible}>
      <div class="candidate-head">
        {props.chosen !== null && (
          <input type="checkbox" aria-label={t('offer_choose', { name: candidate.name })} checked={props.chosen} onChange={(event) => props.onChoose(event.currentTarget.checked)} />
        )}
        {candidate.rank !== null && <span class="rank">{candidate.rank}</span>}
        <strong>{candidate.name}</strong>
        <small>{travelText(candidate)}</small>
        <span class="spring" />
        {!props.current && (
          <button type="button" class={`button small ${candidate.rank === 1 ? 'primary' : ''}`} disabled={!props.mayAssign} aria-label={t('assign_to_name', { name: candidate.name })} onClick={props.onAssign}>
            {t('assign_to')}
          </button>
        )}
      </div>
      {candidate.eligible && candidate.score !== null && (
        <div class="candidate-score">
          <ScoreBar parts={candidate.parts} most={props.most} />
          <b>{scoreText(candidate.score)}</b>
        </div>
      )}
      {candidate.refusals.length > 0 && (
        <ul class="refusals">
          {candidate.refusals.map((refusal) => (
            <li key={refusal.rule}>{refusalText(refusal, catalogue.value)}</li>
          ))}
        </ul>
      )}
    </li>
  )
}
