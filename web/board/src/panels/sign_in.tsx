import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { asRefused, Refused } from '../api'
import { providerOf, START, type Ways } from '../provider'
import { api, signedIn, wasSignedOut } from '../state'
import { problemText, t } from '../words'
import { LanguageSwitch } from './top_bar'

export function SignIn(): JSX.Element {
  const [busy, setBusy] = useState(false)
  const [shown, setShown] = useState(false)
  const [problem, setProblem] = useState('')
  const [coded, setCoded] = useState(false)
  const [ways, setWays] = useState<Ways | null>(null)
  useEffect(() => {
    const refused = new URLSearchParams(location.search).get('refused')
    if (refused) setProblem(`${t('sign_in_provider_failed')} ${problemText(new Refused(refused, 0))}`)
    providerOf(location.search).then(setWays, () => setWays(null))
  }, [])

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const form = new FormData(event.currentTarget as HTMLFormElement)
    setBusy(true)
    setProblem('')
    try {
      const code = String(form.get('code') ?? '').trim()
      signedIn(await api.signIn(String(form.get('signin_id')).trim(), String(form.get('password')), code))
    } catch (error) {
      const refused = asRefused(error)
      if (refused.code === 'second_factor_required') setCoded(true)
      else setProblem(problemText(refused))
      setBusy(false)
    }
  }

  const provider = ({ company, only }: Ways) => (
    <a class={`button wide ${only ? 'primary' : ''}`} href={`${START}?company=${encodeURIComponent(company ?? '')}`}>{t('sign_in_provider')}</a>
  )

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
        {ways?.only && provider(ways)}
        <label class="field">
          <span>{t('signin_id')}</span>
          <input name="signin_id" autocomplete="username" autocapitalize="none" spellcheck={false} required maxLength={80} autofocus />
        </label>
        <label class="field">
          <span>{t('password')}</span>
          <input name="password" type={(shown ? 'text' : 'password') as 'password'} autocomplete="current-password" required maxLength={200} />
        </label>
        {coded && (
          <label class="field">
            <span>{t('sign_in_code')}</span>
            <input name="code" autocomplete="one-time-code" required maxLength={20} autofocus />
            <small>{t('sign_in_code_hint')}</small>
          </label>
        )}
        <label class="check">
          <input type="checkbox" checked={shown} onChange={(event) => setShown(event.currentTarget.checked)} />
          {t('show_password')}
        </label>
        <button class={`button wide ${ways?.only ? '' : 'primary'}`} disabled={busy}>
          {busy ? t('signing_in') : t('sign_in')}
        </button>
        {ways?.provider && !ways.only && provider(ways)}
      </form>
    </main>
  )
}
