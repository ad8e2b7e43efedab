import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { asRefused } from '../api'
import { Dialog } from '../parts/basics'
import { PROVE, providerOf } from '../provider'
import { api, me } from '../state'
import { problemText, t } from '../words'
import { proofWanted } from './admin_api'

/** Asks for the password, or the second factor where there is one, and lets the waiting request go on. */
export function ProofDialog(): JSX.Element | null {
  const [problem, setProblem] = useState('')
  const [provider, setProvider] = useState(false)
  useEffect(() => void providerOf(location.search).then((ways) => setProvider(ways.provider), () => setProvider(false)), [])
  const settle = proofWanted.value
  if (!settle) return null
  const end = (proven: boolean) => {
    proofWanted.value = null
    setProblem('')
    settle(proven)
  }
  const totp = me.value?.totp === true
  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const given = String(new FormData(event.currentTarget as HTMLFormElement).get('proof')).trim()
    try {
      await api.ask('POST', '/proof', totp ? { code: given } : { password: given })
      end(true)
    } catch (error) {
      setProblem(problemText(asRefused(error)))
    }
  }
  return (
    <Dialog name={t('proof_title')} class="dialog" onClose={() => end(false)}>
      <form class="admin-form" onSubmit={submit}>
        <h2>{t('proof_title')}</h2>
        <p>{t('proof_lead')}</p>
        {problem && <p class="note" data-tone="bad" role="alert">{problem}</p>}
        <label class="field">
          <span>{t(totp ? 'proof_code' : 'password')}</span>
          <input name="proof" type={(totp ? 'text' : 'password') as 'password'} autocomplete={totp ? 'one-time-code' : 'current-password'} required maxLength={200} autofocus />
        </label>
        {provider && !totp && <a href={PROVE}>{t('proof_provider')}</a>}
        <FormEnd busy={false} onCancel={() => end(false)} />
      </form>
    </Dialog>
  )
}

/** Save and cancel, at the end of every form here. */
export function FormEnd({ busy, onCancel }: { busy: boolean; onCancel?: () => void }): JSX.Element {
  return (
    <div class="form-end">
      {onCancel && <button type="button" class="button" onClick={onCancel}>{t('admin_cancel')}</button>}
      <button class="button primary" disabled={busy}>{t('admin_save')}</button>
    </div>
  )
}
