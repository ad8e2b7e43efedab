import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { dayTime } from '../../../shared/formats'
import { uuid7 } from '../api'
import { Empty } from '../parts/basics'
import { complain, now, zoneOf } from '../state'
import { label, language, t } from '../words'
import { change, useLoaded } from './loading'
import { FormEnd } from './promises_tab'
import { putEndpoint, readDeliveries, readEndpoints, replay, rotateSecret, type Delivery, type Endpoint } from './rules_api'

export function WebhooksTab(): JSX.Element {
  const { value, reload, waiting } = useLoaded(readEndpoints)
  const [secret, setSecret] = useState<string | null>(null)
  if (!value) return waiting!
  return (
    <>
      <section>
        <p class="rules-note">{t('webhooks_lead')}</p>
        {!value.webhooks.length && <Empty title={t('webhook_none')} />}
        <ul class="rules-list">
          {value.webhooks.map((one) => <EndpointRow key={one.endpoint_id} endpoint={one} reload={reload} onSecret={setSecret} />)}
        </ul>
        {secret && (
          <p class="rules-secret" role="status">{t('webhook_secret_once')}<code>{secret}</code></p>
        )}
        <EndpointForm reload={reload} onSecret={setSecret} />
      </section>
      <Deliveries />
    </>
  )
}

type Part = { reload: () => Promise<void>; onSecret: (secret: string | null) => void }

function EndpointRow({ endpoint, reload, onSecret }: { endpoint: Endpoint } & Part): JSX.Element {
  const { url, actions, active } = endpoint
  async function rotate(): Promise<void> {
    try {
      onSecret((await rotateSecret(endpoint.endpoint_id)).secret)
    } catch (error) {
      complain(error)
    }
  }
  return (
    <li data-off={!active}>
      <div class="rules-what">
        <strong class="rules-url">{url}</strong>
        <small>{actions.length ? actions.map((one) => label('action', one)).join('、') : t('webhook_all')} · {t('webhook_counts', { pending: endpoint.pending, failed: endpoint.failed })}</small>
      </div>
      <div class="rules-does">
        <button type="button" class="button small" onClick={() => void rotate()}>{t('webhook_rotate')}</button>
        <button type="button" class="button small" onClick={() => void change(() => putEndpoint(endpoint.endpoint_id, { url, actions, active: !active }), reload)}>
          {t(active ? 'policy_turn_off' : 'policy_turn_on')}
        </button>
      </div>
    </li>
  )
}

function EndpointForm({ reload, onSecret }: Part): JSX.Element {
  const [open, setOpen] = useState(false)
  if (!open) return <button type="button" class="button" onClick={() => setOpen(true)}>{t('webhook_add')}</button>
  async function save(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const url = String(new FormData(event.currentTarget as HTMLFormElement).get('url')).trim()
    const done = await change(async () => onSecret((await putEndpoint(uuid7(), { url, actions: [], active: true })).secret), reload)
    if (done) setOpen(false)
  }
  return (
    <form class="rules-form" onSubmit={(event) => void save(event)}>
      <label>{t('webhook_url')}<input name="url" type="url" required maxLength={2000} placeholder="https://" /></label>
      <FormEnd onCancel={() => setOpen(false)} />
    </form>
  )
}

function Deliveries(): JSX.Element {
  const { value, reload, waiting } = useLoaded(() => readDeliveries(null))
  if (!value) return waiting!
  return (
    <section>
      <h2>{t('deliveries')}</h2>
      {!value.deliveries.length && <Empty title={t('deliveries_none')} />}
      <ul class="rules-log deliveries">
        {value.deliveries.map((one) => <DeliveryRow key={one.delivery_id} delivery={one} reload={reload} />)}
      </ul>
    </section>
  )
}

function DeliveryRow({ delivery, reload }: { delivery: Delivery; reload: () => Promise<void> }): JSX.Element {
  const last = delivery.attempts.at(-1)
  return (
    <li data-status={delivery.status}>
      <time>{dayTime(delivery.made_at, zoneOf(null), now.value, language.value)}</time>
      <span>{delivery.ticket_no ?? '–'} {label('action', delivery.action)}</span>
      <span class="tag" data-tone={delivery.status === 'failed' ? 'warn' : undefined}>{label('delivery', delivery.status)}</span>
      <small>{t('delivery_tries', { n: delivery.attempts.length })}{last && ` · ${last.status ?? last.code ?? ''}`}</small>
      {delivery.status !== 'pending' && (
        <button type="button" class="button small" onClick={() => void change(() => replay(delivery.delivery_id), reload, t('delivery_replayed'))}>
          {t('delivery_replay')}
        </button>
      )}
      <details>
        <summary>{t('delivery_body')}</summary>
        <pre>{JSON.stringify(delivery.body, null, 2)}</pre>
      </details>
    </li>
  )
}
