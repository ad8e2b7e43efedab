import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { dayTime, moneyText } from '../../../shared/formats'
import { asRefused } from '../api'
import { Empty, Loading } from '../parts/basics'
import { answerText } from '../parts/answers'
import { api, complain, now, zoneOf } from '../state'
import type { AnswerLine, ChecklistItem, TicketProof, TicketView } from '../wire'
import { label, language, own, t } from '../words'
import { Requests } from './requests'
import { Follow } from './ticket_links'
import { Machines } from './ticket_machines'

/** The proof as last read; read again when the ticket changes. */
export function useProof(view: TicketView): { proof: TicketProof | null; reload: () => Promise<void> } {
  const [proof, setProof] = useState<TicketProof | null>(null)
  const { ticket_id, version } = view.ticket
  const reload = (): Promise<void> => api.ask<TicketProof>('GET', `/tickets/${ticket_id}/proof`).then(setProof, (error) => complain(asRefused(error)))
  useEffect(() => void reload(), [ticket_id, version])
  return { proof, reload }
}

const at = (view: TicketView, instant: string): string => dayTime(instant, zoneOf(view.ticket), now.value, language.value)

/** What was done: visits with their answers, machines, parts, what came before and after. */
export function Work({ view }: { view: TicketView }): JSX.Element {
  const { proof, reload } = useProof(view)
  if (!proof) return <Loading />
  return (
    <>
      <Block name={t('proof_visits')}>
        {!proof.visits.some((one) => one.completed_at) && <Empty title={t('proof_visits_none')} hint={t('proof_visits_none_hint')} />}
        {proof.visits.filter((one) => one.checked_in_at || one.completed_at).map((one) => (
          <article key={one.visit_id} class="proof-card">
            <header>
              <strong>{t('proof_visit_n', { n: one.number })}</strong>
              {one.outcome && <span class="tag" data-tone={one.outcome === 'fixed' ? undefined : 'warn'}>{label('outcome', one.outcome)}</span>}
            </header>
            <small>
              {[
                one.engineer_name, one.checked_in_at && t('proof_checked_in', { time: at(view, one.checked_in_at) }),
                one.completed_at && t('proof_completed', { time: at(view, one.completed_at) }),
              ].filter(Boolean).join(' · ')}
            </small>
            {one.text && <p>{one.text}</p>}
            <Answers answers={one.checklist} items={proof.items} />
          </article>
        ))}
      </Block>
      <Machines view={view} proof={proof} reload={reload} />
      {proof.parts.length > 0 && (
        <Block name={t('proof_parts')}>
          <ul class="proof-lines">
            {proof.parts.map((one, n) => (
              <li key={n}>
                <span>{own(one.name)}{one.serial && <small> {one.serial}</small>}{one.returned && <> <span class="tag">{t('proof_part_returned')}</span></>}</span>
                <b>{Number(one.quantity)} {one.unit}</b>
              </li>
            ))}
          </ul>
        </Block>
      )}
      <Requests key={view.ticket.ticket_id} ticketId={view.ticket.ticket_id} />
      <Follow view={view} proof={proof} reload={reload} />
    </>
  )
}

export function Block({ name, action, children }: { name: string; action?: JSX.Element | false; children: ComponentChildren }): JSX.Element {
  return (
    <section class="proof-block">
      <header><h3>{name}</h3>{action}</header>
      {children}
    </section>
  )
}

/** Answers under their questions; an item no longer on the list shows its code. */
export function Answers({ answers, items }: { answers: AnswerLine[]; items: ChecklistItem[] }): JSX.Element | null {
  if (!answers.length) return null
  const item = (code: string) => items.find((one) => one.item === code)
  return (
    <dl class="answers">
      {answers.map((one) => (
        <div key={one.item}>
          <dt>{own(item(one.item)?.label ?? { zh: one.item, en: one.item })}</dt>
          <dd>{answerText(one.value, item(one.item))}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Who pays, what was quoted, paid and earned. */
export function Money({ view }: { view: TicketView }): JSX.Element {
  const { proof } = useProof(view)
  if (!proof) return <Loading />
  const money = (minor: number, currency: string): string => moneyText(minor, currency, language.value)
  const approved = proof.quotes.find((one) => one.status === 'approved')
  const paid = proof.payments.reduce((sum, one) => sum + one.amount_minor, 0)
  const owed = approved ? approved.total_minor - paid : 0
  return (
    <>
      <p>{t('money_coverage')}: <strong>{label('coverage', proof.coverage)}</strong></p>
      <Block name={t('money_quotes')}>
        {!proof.quotes.length && <Empty title={t('money_quotes_none')} hint={t('money_quotes_none_hint')} />}
        {proof.quotes.map((quote) => (
          <article key={quote.quote_id} class="proof-card" data-off={quote.status === 'superseded'}>
            <header>
              <strong>{t('money_quote_version', { n: quote.version })}</strong>
              <span class="tag" data-tone={quote.status === 'refused' ? 'warn' : undefined}>{label('quote', quote.status)}</span>
              <small>{at(view, quote.quoted_at)}</small>
            </header>
            <ul class="proof-lines">
              {quote.lines.map((line, n) => (
                <li key={n}>
                  <span>{line.text} <small>{line.price === null && line.kind !== 'discount' && <b class="tag">{t('money_by_hand')}</b>} {label('quote_kind', line.kind)} · {Number(line.quantity)} × {money(line.unit_price_minor, quote.currency)}</small></span>
                  <b>{money(Math.round(Number(line.quantity) * line.unit_price_minor), quote.currency)}</b>
                </li>
              ))}
              <li class="sum"><span>{t('money_total')}</span><b>{money(quote.total_minor, quote.currency)}</b></li>
            </ul>
          </article>
        ))}
      </Block>
      <Block name={t('money_payments')} action={!!approved && <span class="tag" data-tone={owed > 0 ? 'warn' : undefined}>{owed > 0 ? t('money_owed', { amount: money(owed, approved.currency) }) : t('money_paid')}</span>}>
        {!proof.payments.length && <p class="faint">{t('money_payments_none')}</p>}
        <ul class="proof-lines">
          {proof.payments.map((one) => (
            <li key={one.payment_id}>
              <span>{label('method', one.method)} <small>{[at(view, one.at), one.reference].filter(Boolean).join(' · ')}</small></span>
              <b>{money(one.amount_minor, one.currency)}</b>
            </li>
          ))}
        </ul>
      </Block>
      <Block name={t('money_earned')}>
        {!proof.earned.length && <p class="faint">{t('money_earned_none')}</p>}
        <ul class="proof-lines">
          {proof.earned.map((one, n) => (
            <li key={n}>
              <span>{one.payee ? own(one.payee) : '–'} <small>{label('payee', one.payee_kind)} · {label('earned', one.reason)}</small></span>
              <b>{money(one.amount_minor, one.currency)}</b>
            </li>
          ))}
        </ul>
      </Block>
    </>
  )
}
