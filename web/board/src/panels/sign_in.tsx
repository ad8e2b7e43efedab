import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { asRefused } from '../api'
import { api, signedIn, wasSignedOut } from '../state'
import { problemText, t } from '../words'
import { LanguageSwitch } from './top_bar'

export function SignIn(): JSX.Element {
  const [busy, setBusy] = useState(false)
  const [shown, setShown] = useState(false)
  const [problem, setProblem] = useState('')

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    setBusy(true)
    setProblem('')
    try {
      signedIn(await api.signIn(String(form.get('signin_id')).trim(), String(form.get('password'))))
    } catch (error) {
      const refused = asRefused(error)
      setProblem(refused.status === 401 ? t('problem_signin_failed') : problemText(refused))
      setBusy(false)
    }
  }

  return (
    <main class="sign-in">
      <form class="sign-in-card" onSubmit={submit}>
        <header>
          <img src="/board/icon.svg" alt="" width="40" height="40" />
          <div>
            <h1>{t('app')}</h1>
            <p>{t('sign_in_lead')}</p>
          </div>
          <LanguageSwitch />
        </header>
        <p class="sign-in-sub">{t('sign_in_sub')}</p>
        {wasSignedOut.value && !problem && <p class="note" data-tone="warn">{t('signed_out_note')}</p>}
        {problem && <p class="note" data-tone="bad" role="alert">{problem}</p>}
        <label class="field">
          <span>{t('signin_id')}</span>
          <input name="signin_id" autocomplete="username" autocapitalize="none" spellcheck={false} required maxLength={80} autofocus />
        </label>
        <label class="field">
          <span>{t('password')}</span>
          <input name="password" type={(shown ? 'text' : 'password') as 'password'} autocomplete="current-password" required maxLength={200} />
        </label>
        <label class="check">
          <input type="checkbox" checked={shown} onChange={(event) => setShown(event.currentTarget.checked)} />
          {t('show_password')}
        </label>
        <button class="button primary wide" disabled={busy}>
          {busy ? t('signing_in') : t('sign_in')}
        </button>
      </form>
    </main>
  )
}
