import { useState } from 'preact/hooks'
import { Refused } from '../core/api'
import { signIn } from '../core/app'
import { expired, session, waitingCommands } from '../core/state'
import { t, type Key } from '../core/words'
import { Field } from '../parts/basics'
import { LanguageSwitch } from '../parts/language_switch'

export function SignInScreen() {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [busy, setBusy] = useState(false)
  const [wrong, setWrong] = useState<Key | null>(null)
  const again = expired.value && session.value
  const submit = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    setWrong(null)
    try {
      await signIn(name.trim(), password)
    } catch (error) {
      setWrong(error instanceof Refused ? 'sign_in_wrong' : 'sign_in_needs_network')
    } finally {
      setBusy(false)
    }
  }
  const unsent = waitingCommands.value.length
  return (
    <main class="signin">
      <div class="brand">
        <img src="/phone/icon.svg" alt="" width={72} height={72} />
        <h1>{t('app')}</h1>
        <p>{again ? t('sign_in_again') : t('sign_in_lead')}</p>
      </div>
      <form onSubmit={(event) => void submit(event)}>
        {again && <p class="warn">{unsent ? t('sign_in_again_kept', { n: unsent }) : t('sign_in_again_none')}</p>}
        {!isSecureContext && <p class="warn">{t('insecure')}</p>}
        <Field name={t('signin_id')}>
          <input
            type="text" name="username" autocomplete="username" autocapitalize="none" spellcheck={false} required maxLength={80}
            value={name} onInput={(e) => setName(e.currentTarget.value)}
          />
        </Field>
        <Field name={t('password')}>
          <input
            type="password" name="password" autocomplete="current-password" required maxLength={200}
            value={password} onInput={(e) => setPassword(e.currentTarget.value)}
          />
        </Field>
        {wrong && (
          <p class="bad" role="alert">
            {t(wrong)}
          </p>
        )}
        <button type="submit" class="main" disabled={busy || !name.trim() || !password}>
          {t(busy ? 'signing_in' : 'sign_in')}
        </button>
      </form>
      <LanguageSwitch />
    </main>
  )
}
