// The switch for notices: beside page.js, on pages of an installation that sends them.
'use strict'
// Told while the page is closed: this browser, of this ticket alone, until it is switched off.
async function notices(box) {
  const { serviceWorker } = navigator
  if (!serviceWorker || !window.PushManager) return
  const button = box.querySelector('button')
  const hint = box.querySelector('.hint')
  const scope = location.pathname
  const look = async () => {
    const now = await (await serviceWorker.getRegistration(scope))?.pushManager.getSubscription()
    const state = now ? 'on' : Notification.permission === 'denied' ? 'denied' : 'off'
    hint.textContent = box.dataset[state]
    button.textContent = box.dataset[now ? 'stop' : 'start']
    button.hidden = state === 'denied'
    box.hidden = !now && 'final' in box.dataset
    return now
  }
  const tell = async (method, path, more) => {
    const reply = await fetch(`/customer/v1/browser${path}`, {
      method,
      body: JSON.stringify(more),
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      signal: AbortSignal.timeout(SEND_MS),
    })
    if (!reply.ok) throw new Error(String(reply.status))
  }
  button.addEventListener('click', async () => {
    button.disabled = true
    let failed = false
    let made
    try {
      const now = await look()
      if (now) {
        await tell('POST', '/gone', { subscription: JSON.stringify(now) })
        await now.unsubscribe()
      } else {
        await serviceWorker.register('/c/notices.js', { scope })
        const { pushManager } = await serviceWorker.ready
        made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: box.dataset.notices })
        await tell('PUT', '', { subscription: JSON.stringify(made), language: box.dataset.language })
      }
    } catch {
      failed = true
      await made?.unsubscribe()
    }
    await look()
    if (failed && !button.hidden) hint.textContent = box.dataset.failed
    button.disabled = false
  })
  await look()
}
