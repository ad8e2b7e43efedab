import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { asRefused } from '../api'
import { api, complain, me, say } from '../state'
import { problemText, t } from '../words'
import { send } from './admin_api'
import { TextField, textOf } from './forms'
import { FormEnd, ProofDialog } from './proof_dialog'

/** One's own sign-in: the password, and the second factor. */
export function SecurityPage(): JSX.Element {
  return (
    <main class="page">
      <header class="page-head">
        <h1>{t('nav_security')}</h1>
        <p>{me.value?.name}</p>
      </header>
      <div class="admin-section two">
        <SecondFactor />
        <NewPassword />
      </div>
      <ProofDialog />
    </main>
  )
}

function NewPassword(): JSX.Element {
  const [problem, setProblem] = useState('')
  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const element = event.currentTarget as HTMLFormElement
    const form = new FormData(element)
    setProblem('')
    try {
      await api.ask('POST', '/password', { old_password: String(form.get('old')), new_password: String(form.get('new')) })
      element.reset()
      say('good', t('admin_saved'))
    } catch (error) {
      setProblem(problemText(asRefused(error)))
    }
  }
  return (
    <form class="admin-form card" onSubmit={submit}>
      <h2>{t('security_password')}</h2>
      <p>{t('security_others_out')}</p>
      {problem && <p class="note" data-tone="bad" role="alert">{problem}</p>}
      <TextField name="old" label="security_old" type="password" />
      <TextField name="new" label="admin_password_new" type="password" minLength={10} />
      <FormEnd busy={false} />
    </form>
  )
}

interface Started {
  secret: string
  qr: string
}

function SecondFactor(): JSX.Element {
  const [started, setStarted] = useState<Started | null>(null)
  const [recovery, setRecovery] = useState<string[]>([])
  const [problem, setProblem] = useState('')
  const totp = me.value?.totp === true
  const turned = (on: boolean) => me.value && (me.value = { ...me.value, totp: on })
  async function confirm(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    setProblem('')
    try {
      const code = textOf(new FormData(event.currentTarget as HTMLFormElement), 'code')
      const done = await api.ask<{ recovery_codes: string[] }>('POST', '/totp/confirm', { code })
      setRecovery(done.recovery_codes)
      setStarted(null)
      turned(true)
    } catch (error) {
      setProblem(problemText(asRefused(error)))
    }
  }
  return (
    <section class="admin-form card">
      <h2>{t('security_totp')}</h2>
      <p>{t(totp ? 'security_totp_on' : 'security_totp_off')}</p>
      {problem && <p class="note" data-tone="bad" role="alert">{problem}</p>}
      {recovery.length > 0 && (
        <div class="note" role="status">
          <p>{t('security_recovery')}</p>
          <ul class="recovery">{recovery.map((code) => <li key={code}><code>{code}</code></li>)}</ul>
        </div>
      )}
      {started && (
        <form class="admin-form" onSubmit={confirm}>
          <p>{t('security_totp_scan')}</p>
          <img class="qr" alt="QR" src={started.qr} />
          <code class="secret">{started.secret}</code>
          <TextField name="code" label="security_totp_code" pattern="[0-9]{6}" />
          <FormEnd busy={false} onCancel={() => setStarted(null)} />
        </form>
      )}
      {!started && !totp && (
        <button type="button" class="button primary" onClick={() => void send<Started>('POST', '/totp/start').then(setStarted, complain)}>
          {t('security_totp_start')}
        </button>
      )}
      {totp && (
        <button type="button" class="button" onClick={() => void send('POST', '/totp/remove').then(() => turned(false), complain)}>
          {t('security_totp_remove')}
        </button>
      )}
    </section>
  )
}
