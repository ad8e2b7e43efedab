import { useEffect, useState } from 'preact/hooks'
import { api } from '../core/app'
import { bytesOfKey } from '../core/webpush'
import { t } from '../core/words'

type State = 'on' | 'off' | 'denied'

/** Whether this browser is told of offers while the page is closed; not shown where it cannot be. */
export function PushSwitch() {
  const [key, setKey] = useState<string | null>(null)
  const [state, setState] = useState<State>('off')
  async function look(): Promise<void> {
    if (!('serviceWorker' in navigator) || !('PushManager' in window)) return
    const [found, registration] = await Promise.all([api.pushKey(), navigator.serviceWorker.getRegistration()])
    if (!found || !registration) return
    setKey(found)
    if (Notification.permission === 'denied') return setState('denied')
    setState((await registration.pushManager.getSubscription()) ? 'on' : 'off')
  }
  useEffect(() => void look().catch(() => undefined), [])
  if (!key) return null
  async function turn(): Promise<void> {
    const { pushManager } = await navigator.serviceWorker.ready
    const now = await pushManager.getSubscription()
    if (now) {
      await api.dropPushTarget('web', JSON.stringify(now))
      await now.unsubscribe()
      return setState('off')
    }
    const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOfKey(key!) })
    await api.setPushTarget('web', JSON.stringify(made))
    setState('on')
  }
  return (
    <div class="item">
      <span>
        {t('push_here')}
        <small class={state === 'denied' ? 'sub bad' : 'sub'}>{t(`push_${state}`)}</small>
      </span>
      {state !== 'denied' && (
        <button type="button" class="plain" onClick={() => void turn().catch(() => setState(Notification.permission === 'denied' ? 'denied' : state))}>
          {t(state === 'on' ? 'push_turn_off' : 'push_turn_on')}
        </button>
      )}
    </div>
  )
}
