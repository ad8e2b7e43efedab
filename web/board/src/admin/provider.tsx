import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Loading } from '../parts/basics'
import { api, complain } from '../state'
import { t } from '../words'
import { MoreButton, usePaged } from '../settings/parts'
import { readDispatchers, send } from './admin_api'
import { FormDialog, TextField, textOf, textOrNull } from './forms'

interface Settings {
  provider: { issuer: string; client_id: string; email_domains: string[]; active: boolean; only: boolean } | null
  people: { dispatcher_id: string; email: string; linked_at: string | null }[]
  redirect_uri: string
  signin_page: string
}

/** The company's own sign-in provider, and the e-mails by which it may vouch for dispatchers. */
export function ProviderTab(): JSX.Element {
  const { rows, next } = usePaged(readDispatchers)
  const [settings, setSettings] = useState<Settings | null>(null)
  const [open, setOpen] = useState<'provider' | { dispatcher_id: string; name: string } | null>(null)
  const read = () => api.ask<Settings>('GET', '/admin/oidc').then(setSettings, complain)
  useEffect(() => void read(), [])
  if (!settings) return <Loading />
  const { provider } = settings
  const close = () => setOpen(null)
  const person = (id: string) => settings.people.find((one) => one.dispatcher_id === id)
  const saveProvider = (form: FormData) =>
    send('PUT', '/admin/oidc', {
      issuer: textOf(form, 'issuer'), client_id: textOf(form, 'client_id'), client_secret: textOrNull(form, 'client_secret'),
      email_domains: textOf(form, 'email_domains').split(/[\s,]+/).filter(Boolean), active: form.get('active') === 'on',
      only: form.get('only') === 'on',
    }).then(read)
  return (
    <section class="admin-section">
      <p>{t('admin_provider_lead')}</p>
      <p>{t('admin_redirect_uri')}: <code>{settings.redirect_uri}</code></p>
      {provider && <p>{t('admin_signin_page')}: <code>{settings.signin_page}</code></p>}
      <button type="button" class="button primary" onClick={() => setOpen('provider')}>{t('admin_provider')}</button>
      {provider && <p><code>{provider.issuer}</code> · {t(provider.active ? 'admin_active' : 'admin_not_active')}{provider.only && <> · <span class="tag">{t('admin_provider_is_only')}</span></>}</p>}
      <ul class="admin-list">
        {(rows ?? []).map((one) => (
          <li key={one.dispatcher_id} data-off={!one.active}>
            <div class="admin-who">
              <strong>{one.name}</strong>
              <small>{person(one.dispatcher_id)?.email ?? '–'}</small>
            </div>
            <small class="admin-facts">{person(one.dispatcher_id)?.linked_at && <span class="tag">{t('admin_linked')}</span>}</small>
            <div class="admin-does">
              <button type="button" class="button small" onClick={() => setOpen(one)}>{t('admin_email')}</button>
            </div>
          </li>
        ))}
      </ul>
      <MoreButton next={next} />
      {open === 'provider' && (
        <FormDialog title="admin_provider" save={saveProvider} onClose={close}>
          <TextField name="issuer" label="admin_issuer" value={provider?.issuer ?? 'https://'} />
          <TextField name="client_id" label="admin_client_id" value={provider?.client_id ?? ''} />
          <TextField name="client_secret" label="admin_client_secret" type="password" required={!provider} />
          <TextField name="email_domains" label="admin_email_domains" value={provider?.email_domains.join(' ') ?? ''} />
          <label class="check">
            <input type="checkbox" name="active" defaultChecked={provider?.active ?? true} />
            {t('admin_provider_on')}
          </label>
          <label class="check">
            <input type="checkbox" name="only" defaultChecked={provider?.only ?? false} />
            {t('admin_provider_only')}
          </label>
        </FormDialog>
      )}
      {open && open !== 'provider' && (
        <FormDialog
          title="admin_email" hint="admin_email_hint" onClose={close}
          save={(form) => send('PUT', `/admin/dispatchers/${open.dispatcher_id}/email`, { email: textOrNull(form, 'email') }).then(read)}
        >
          <TextField name="email" label="admin_email" required={false} value={person(open.dispatcher_id)?.email ?? ''} />
        </FormDialog>
      )}
    </section>
  )
}
