import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { dayTime } from '../../../shared/formats'
import { BothNames, bothOf, FormDialog, TextField, textOf, textOrNull } from '../admin/forms'
import { Dialog, Loading } from '../parts/basics'
import { ticketHash } from '../route'
import { api, complain, now, zoneOf } from '../state'
import type { AssetHistory, MachineDone, TicketProof, TicketView, Uuid } from '../wire'
import { label, language, own, t } from '../words'
import { Answers, Block } from './ticket_proof'

const FINAL = ['closed', 'cancelled']

/** The machines of a ticket, each with what was found and done, and its own history. */
export function Machines({ view, proof, reload }: { view: TicketView; proof: TicketProof; reload: () => Promise<void> }): JSX.Element {
  const [adding, setAdding] = useState(false)
  const [asset, setAsset] = useState<MachineDone | null>(null)
  const open = !FINAL.includes(view.ticket.status)

  async function add(form: FormData): Promise<void> {
    const { asset_id } = await api.ask<{ asset_id: Uuid }>('POST', '/assets', { kind: textOf(form, 'kind'), serial: textOrNull(form, 'serial'), name: bothOf(form) })
    await put([...proof.machines.map((one) => one.asset_id), asset_id])
  }
  async function put(asset_ids: Uuid[]): Promise<void> {
    await api.ask('PUT', `/tickets/${view.ticket.ticket_id}/machines`, { asset_ids })
    await reload()
  }
  const without = (gone: Uuid): void => void put(proof.machines.map((one) => one.asset_id).filter((one) => one !== gone)).catch(complain)

  return (
    <Block name={t('proof_machines')} action={open && <button type="button" class="button small" onClick={() => setAdding(true)}>{t('proof_machine_add')}</button>}>
      {!proof.machines.length && <p class="faint">{t('proof_machines_none')}</p>}
      {proof.machines.map((one) => (
        <article key={one.asset_id} class="proof-card">
          <header>
            <strong>{own(one.name)}</strong>
            <span class="tag" data-tone={one.outcome === 'fixed' || !one.outcome ? undefined : 'warn'}>{one.outcome ? label('outcome', one.outcome) : t('proof_machine_open')}</span>
          </header>
          <small>{[one.serial, one.warranty_until && `${t('proof_machine_warranty')} ${one.warranty_until.slice(0, 10)}`].filter(Boolean).join(' · ')}</small>
          {one.text && <p>{one.text}</p>}
          <Answers answers={one.checklist} items={proof.items} />
          <div class="actions">
            <button type="button" class="button small" aria-label={`${t('proof_machine_history')}: ${own(one.name)}`} onClick={() => setAsset(one)}>{t('proof_machine_history')}</button>
            {open && !one.outcome && <button type="button" class="button small" aria-label={`${t('remove')}: ${own(one.name)}`} onClick={() => without(one.asset_id)}>{t('remove')}</button>}
          </div>
        </article>
      ))}
      {adding && (
        <FormDialog title="proof_machine_add" save={add} onClose={() => setAdding(false)}>
          <BothNames />
          <div class="pair">
            <TextField name="kind" label="proof_machine_kind" pattern="[a-z0-9_]{1,40}" />
            <TextField name="serial" label="part_serial" required={false} />
          </div>
        </FormDialog>
      )}
      {asset && <History view={view} machine={asset} onClose={() => setAsset(null)} />}
    </Block>
  )
}

function History({ view, machine, onClose }: { view: TicketView; machine: MachineDone; onClose: () => void }): JSX.Element {
  const [history, setHistory] = useState<AssetHistory | null>(null)
  useEffect(() => void api.ask<AssetHistory>('GET', `/assets/${machine.asset_id}`).then(setHistory, complain), [])
  const others = history?.tickets.filter((one) => one.ticket_id !== view.ticket.ticket_id)
  const title = t('proof_machine_history_of', { name: own(machine.name) })
  return (
    <Dialog name={title} class="dialog" onClose={onClose}>
      <div class="admin-form">
        <h2>{title}</h2>
        {!others && <Loading />}
        {others?.length === 0 && <p class="faint">{t('proof_machine_history_none')}</p>}
        <ul class="proof-lines">
          {others?.map((one) => (
            <li key={one.ticket_id}>
              <span>
                <a href={ticketHash(one.ticket_id)} onClick={onClose}>{one.ticket_no}</a>{' '}
                <small>{[dayTime(one.done_at ?? one.created_at, zoneOf(view.ticket), now.value, language.value), one.text].filter(Boolean).join(' · ')}</small>
              </span>
              {one.outcome && <span class="tag">{label('outcome', one.outcome)}</span>}
            </li>
          ))}
        </ul>
        <button type="button" class="button" onClick={onClose}>{t('close')}</button>
      </div>
    </Dialog>
  )
}
