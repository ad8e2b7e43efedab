import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { FormDialog, TextField, textOf } from '../admin/forms'
import { uuid7 } from '../api'
import { ticketHash } from '../route'
import { AddButton, change, Part, RowButton, Table, useLoaded, usePaged, when } from '../settings/parts'
import { complain, say } from '../state'
import { label, t } from '../words'
import { putEndpoint, readDeliveries, readEndpoints, replay, rotateSecret, type Delivery, type Endpoint } from './rules_api'

export function WebhooksTab(): JSX.Element {
  const { value, reload, waiting } = useLoaded(readEndpoints)
  const [secret, setSecret] = useState<string | null>(null)
  const [open, setOpen] = useState<Endpoint | 'new' | null>(null)
  if (!value) return waiting!
  async function rotate(endpoint: Endpoint): Promise<void> {
    try {
      setSecret((await rotateSecret(endpoint.endpoint_id)).secret)
    } catch (error) {
      complain(error)
    }
  }
  async function save(form: FormData): Promise<void> {
    const known = open !== 'new' && open ? open : null
    const endpoint = { url: textOf(form, 'url'), actions: form.getAll('actions').map(String), active: known?.active ?? true }
    const kept = await putEndpoint(known?.endpoint_id ?? uuid7(), endpoint)
    if (kept.secret) setSecret(kept.secret)
    await reload()
  }
  const endpoint = open === 'new' ? null : open
  return (
    <>
      <Part title="webhook_endpoints" action={<AddButton label="webhook_add" onClick={() => setOpen('new')} />}>
        {secret && (
          <p class="rules-secret" role="status">
            {t('webhook_secret_once')}<code>{secret}</code>
            <button type="button" class="button small" onClick={() => void navigator.clipboard?.writeText(secret).then(() => say('good', t('copied')), complain)}>{t('admin_copy')}</button>
          </p>
        )}
        <Table
          name="webhook_endpoints"
          rows={value.webhooks}
          id={(one) => one.endpoint_id}
          off={(one) => !one.active}
          empty="webhook_none"
          hint="webhook_none_hint"
          columns={[
            { name: 'webhook_url', cell: (one) => <strong>{one.url}</strong> },
            { name: 'webhook_events', cell: (one) => (one.actions.length ? one.actions.map((action) => label('action', action)).join(' · ') : t('webhook_all')) },
            { name: 'webhook_state', cell: (one) => <>{!one.active && <span class="tag" data-tone="warn">{t('policy_off')}</span>} {t('webhook_counts', { pending: one.pending, failed: one.failed })}</> },
          ]}
          does={(one) => (
            <>
              <RowButton label="edit" about={one.url} onClick={() => setOpen(one)} />
              <RowButton label="webhook_rotate" about={one.url} onClick={() => void rotate(one)} />
              <RowButton
                label={one.active ? 'policy_turn_off' : 'policy_turn_on'} about={one.url}
                onClick={() => void change(() => putEndpoint(one.endpoint_id, { url: one.url, actions: one.actions, active: !one.active }), reload)}
              />
            </>
          )}
        />
      </Part>
      <Deliveries />
      {open && (
        <FormDialog title={endpoint ? 'webhook_edit' : 'webhook_add'} save={save} onClose={() => setOpen(null)}>
          <TextField name="url" label="webhook_url" type="url" maxLength={2_000} placeholder="https://" value={endpoint?.url ?? ''} />
          <details class="numbers-group" open={Boolean(endpoint?.actions.length)}>
            <summary>{t('webhook_actions')}</summary>
            <fieldset class="checks">
              {value.actions.map((action) => (
                <label key={action} class="check">
                  <input type="checkbox" name="actions" value={action} defaultChecked={endpoint?.actions.includes(action) ?? false} />
                  {label('action', action)}
                </label>
              ))}
            </fieldset>
          </details>
        </FormDialog>
      )}
    </>
  )
}

const STATUSES = ['', 'pending', 'delivered', 'failed'] as const

/** What was sent, newest first, to be looked into and sent again. */
function Deliveries(): JSX.Element {
  const [status, setStatus] = useState<(typeof STATUSES)[number]>('')
  const { rows, next, reload, waiting } = usePaged(async (page) => {
    const found = await readDeliveries(page, status)
    return { rows: found.deliveries, next: found.next_page }
  }, status)
  return (
    <Part title="deliveries" action={<button type="button" class="button" onClick={() => void reload()}>{t('read_again')}</button>}>
      <div class="views" role="group" aria-label={t('deliveries')}>
        {STATUSES.map((one) => <button key={one} type="button" class="view" aria-pressed={status === one} onClick={() => setStatus(one)}>{one ? label('delivery', one) : t('shift_all')}</button>)}
      </div>
      {waiting ?? (
        <Table
          name="deliveries"
          rows={rows!}
          id={(one) => one.delivery_id}
          next={next}
          empty="deliveries_none"
          columns={[
            { name: 'ledger_at', cell: (one) => when(one.made_at) },
            { name: 'delivery_event', cell: (one) => <>{label('action', one.action)} {one.ticket_id ? <a href={ticketHash(one.ticket_id)}>{one.ticket_no}</a> : one.ticket_no}</> },
            { name: 'delivery_state', cell: (one) => <span class="tag" data-tone={one.status === 'failed' ? 'warn' : undefined}>{label('delivery', one.status)}</span> },
            { name: 'delivery_attempts', cell: (one) => <Attempts delivery={one} /> },
          ]}
          does={(one) => one.status !== 'pending' && <RowButton label="delivery_replay" about={label('action', one.action)} onClick={() => void change(() => replay(one.delivery_id), reload, t('delivery_replayed'))} />}
        />
      )}
    </Part>
  )
}

function Attempts({ delivery }: { delivery: Delivery }): JSX.Element {
  return (
    <details class="attempts">
      <summary>{t('delivery_tries', { n: delivery.attempts.length })}</summary>
      <ul>{delivery.attempts.map((one) => <li key={one.at}>{when(one.at)} · {one.status ?? one.code ?? '–'}</li>)}</ul>
      <pre>{JSON.stringify(delivery.body, null, 2)}</pre>
    </details>
  )
}
