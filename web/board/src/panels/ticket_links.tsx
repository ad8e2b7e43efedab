import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { dayTime } from '../../../shared/formats'
import { uuid7 } from '../api'
import { ticketHash } from '../route'
import { send } from '../admin/admin_api'
import { EraseDialog } from '../admin/erase'
import { ProofDialog } from '../admin/proof_dialog'
import { api, complain, me, now, say, zoneOf } from '../state'
import type { Instant, TicketCreated, TicketProof, TicketView } from '../wire'
import { label, language, t } from '../words'
import { Block } from './ticket_proof'

const KINDS = ['follow_up', 'warranty_callback'] as const

/** Tickets before and after, the certificate, and the link by which a customer accepts many at once. */
export function Follow({ view, proof, reload }: { view: TicketView; proof: TicketProof; reload: () => Promise<void> }): JSX.Element {
  const { ticket_id, status } = view.ticket
  const [busy, setBusy] = useState(false)
  const closed = status === 'closed'
  const linked = [...(proof.parent ? [{ ...proof.parent, where: 'proof_before' as const }] : []), ...proof.children.map((one) => ({ ...one, where: 'proof_after' as const }))]

  async function make(kind: (typeof KINDS)[number]): Promise<void> {
    setBusy(true)
    try {
      const made = await api.ask<TicketCreated>('POST', `/tickets/${ticket_id}/follow_up`, { command_id: uuid7(), kind })
      say('good', t('proof_follow_up_done', { no: made.ticket_no }))
      await reload()
    } catch (error) {
      complain(error)
    }
    setBusy(false)
  }

  return (
    <>
      {(closed || linked.length > 0) && (
        <Block name={t('proof_linked')}>
          <ul class="proof-lines">
            {linked.map((one) => (
              <li key={one.ticket_id}>
                <span>{t(one.where)}: <a href={ticketHash(one.ticket_id)}>{one.ticket_no}</a> <small>{label('proof_kind', one.kind)}</small></span>
                <span class="pill" data-status={one.status}>{label('status', one.status)}</span>
              </li>
            ))}
          </ul>
          {closed && (
            <div class="actions">
              <button type="button" class="button" disabled={busy} onClick={() => void make('follow_up')}>{t('proof_follow_up_add')}</button>
              <button type="button" class="button" disabled={busy} onClick={() => void make('warranty_callback')}>{t('proof_warranty_add')}</button>
            </div>
          )}
        </Block>
      )}
      <Block name={t('proof_certificate')}>
        {view.acceptances.some((one) => one.verdict === 'signed_off')
          ? <p><a class="button" href={`/dispatcher/v1/tickets/${ticket_id}/certificate.pdf?lang=${language.value}`} target="_blank" rel="noopener">{t('proof_certificate_get')}</a></p>
          : <p class="faint">{t('proof_certificate_later')}</p>}
      </Block>
      {status === 'awaiting_acceptance' && <ManagerLink view={view} />}
      {me.value?.role === 'admin' && <CustomerData view={view} />}
    </>
  )
}

function ManagerLink({ view }: { view: TicketView }): JSX.Element {
  const [made, setMade] = useState<{ url: string; expires_at: Instant } | null>(null)
  const make = (): Promise<void> => api.ask<{ url: string; expires_at: Instant }>('POST', `/tickets/${view.ticket.ticket_id}/manager_link`).then(setMade, complain)
  return (
    <Block name={t('proof_manager_link')}>
      {made
        ? <p class="proof-link"><a href={made.url} target="_blank" rel="noopener">{made.url}</a> <small>{t('proof_manager_until', { time: dayTime(made.expires_at, zoneOf(view.ticket), now.value, language.value) })}</small></p>
        : <p><button type="button" class="button" onClick={() => void make()}>{t('proof_manager_make')}</button></p>}
    </Block>
  )
}

/** What the law gives a customer: everything kept about them, or nothing any more. */
function CustomerData({ view }: { view: TicketView }): JSX.Element {
  const [erasing, setErasing] = useState(false)
  const { ticket_id, ticket_no } = view.ticket
  async function download(): Promise<void> {
    try {
      const data = await send<object>('GET', `/admin/tickets/${ticket_id}/customer`)
      const link = document.createElement('a')
      link.href = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: 'application/json' }))
      link.download = `${ticket_no}.json`
      link.click()
      URL.revokeObjectURL(link.href)
    } catch (error) {
      complain(error)
    }
  }
  return (
    <Block name={t('customer_data')}>
      <div class="actions">
        <button type="button" class="button" onClick={() => void download()}>{t('customer_data_get')}</button>
        <button type="button" class="button danger" onClick={() => setErasing(true)}>{t('erase')}</button>
      </div>
      {erasing && (
        <EraseDialog
          hint="erase_customer_hint" about={view.contact.name ?? ticket_no} onClose={() => setErasing(false)}
          erase={() => send('POST', `/admin/tickets/${ticket_id}/erase_customer`)}
        />
      )}
      <ProofDialog />
    </Block>
  )
}
