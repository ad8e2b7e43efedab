import { useState } from 'preact/hooks'
import { Refused } from '../core/api'
import { api, signIn, signInByCode } from '../core/app'
import { expired, session, waitingCommands } from '../core/state'
import { t, type Key } from '../core/words'
import { Field } from '../parts/basics'
import { LanguageSwitch } from '../parts/language_switch'

const SAYS: Record<string, Key> = {
  signin_refused: 'sign_in_wrong',
  code_refused: 'code_wrong',
  codes_not_offered: 'codes_not_offered',
}

/** What to tell about a failed attempt. */
function saying(error: unknown): Key {
  if (error instanceof Refused) return SAYS[error.problem.code] ?? 'sign_in_wrong'
  return (error as { status?: number }).status === 429 ? 'sign_in_too_often' : 'sign_in_needs_network'
}

export function SignInScreen() {
  const [name, setName] = useState('')
  const [secret, setSecret] = useState('')
  const [byCode, setByCode] = useState(false)
  const [sent, setSent] = useState(false)
  const [busy, setBusy] = useState(false)
  const [wrong, setWrong] = useState<Key | null>(null)
  const again = expired.value && session.value
  const attempt = async (work: () => Promise<void>) => {
    setBusy(true)
    setWrong(null)
    try {
      await work()
    } catch (error) {
      setWrong(saying(error))
    } finally {
      setBusy(false)
    }
  }
  const submit = (event: Event) => {
    event.preventDefault()
    void attempt(() => (byCode ? signInByCode(name.trim(), secret.trim()) : signIn(name.trim(), secret)))
  }
  const turn = () => {
    setByCode(!byCode)
    setSecret('')
    setWrong(null)
  }
  const unsent = waitingCommands.value.length
  return (
    <main class="signin">
      <div class="brand">
        <img src="/phone/icon.svg" alt="" width={72} height={72} />
        <h1>{t('app')}</h1>
        <p>{again ? t('sign_in_again') : t('sign_in_lead')}</p>
      </div>
      <form onSubmit={submit}>
        {again && <p class="warn">{unsent ? t('sign_in_again_kept', { n: unsent }) : t('sign_in_again_none')}</p>}
        {!isSecureContext && <p class="warn">{t('insecure')}</p>}
        <Field name={t('signin_id')}>
          <input
            type="text" name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required maxLength={80}
            value={name} onInput={(e) => setName(e.currentTarget.value)}
          />
        </Field>
        {byCode && (
          <button
            type="button" class="plain wide" disabled={busy || !name.trim()}
            onClick={() => void attempt(async () => (await api.askForCode(name.trim()), setSent(true)))}
          >
            {t('code_send')}
          </button>
        )}
        {byCode && sent && <p class="sub">{t('code_sent')}</p>}
        <Field name={t(byCode ? 'code' : 'password')}>
          {byCode ? (
            <input
              key="code" type="text" name="code" autocomplete="one-time-code" inputMode="numeric" pattern="[0-9]{6}" required maxLength={6}
              value={secret} onInput={(e) => setSecret(e.currentTarget.value)}
            />
          ) : (
            <input
              key="password" type="password" name="password" autocomplete="current-password" required maxLength={200}
              value={secret} onInput={(e) => setSecret(e.currentTarget.value)}
            />
          )}
        </Field>
        {wrong && (
          <p class="bad" role="alert">
            {t(wrong)}
          </p>
        )}
        <button type="submit" class="main" disabled={busy || !name.trim() || !secret}>
          {t(busy ? 'signing_in' : 'sign_in')}
        </button>
        <button type="button" class="plain wide" onClick={turn}>
          {t(byCode ? 'sign_in_by_password' : 'sign_in_by_code')}
        </button>
      </form>
      <LanguageSwitch />
    </main>
  )
}
