// Notices of one ticket while its page is closed: shown, and opening that page and no other.
'use strict'
addEventListener('push', (event) => {
  let said = {}
  try {
    said = event.data.json()
  } catch {
    // Without words it still says that there is something to see.
  }
  const about = { body: said.text || '', data: said.url || '', tag: said.key || '' }
  event.waitUntil(registration.showNotification(said.title || 'Paidan', about))
})

addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(show(String(event.notification.data)))
})

async function show(url) {
  const { scope } = registration
  const target = url === scope || url.startsWith(`${scope}?`) ? url : scope
  for (const page of await clients.matchAll({ type: 'window', includeUncontrolled: true })) {
    if (page.url.split('?')[0] === scope) return page.focus()
  }
  return clients.openWindow(target)
}
