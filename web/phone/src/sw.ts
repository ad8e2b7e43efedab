/** The page's shell on the phone: everything that was built, kept under the build's own name. Data never goes through here. */

declare const self: ServiceWorkerGlobalScope
export {}

const FILES = '__SHELL_FILES__' as unknown as string[]
const CACHE = 'paidan-phone-__SHELL_VERSION__'
const PAGE = './'

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: 'reload' })))))
})

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) if (name.startsWith('paidan-phone-') && name !== CACHE) await caches.delete(name)
      await self.clients.claim()
    })(),
  )
})

self.addEventListener('message', (event) => {
  if (event.data === 'take-over') void self.skipWaiting()
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || !url.href.startsWith(self.registration.scope)) return
  event.respondWith(fromShell(request.mode === 'navigate' ? PAGE : url.pathname, request))
})

self.addEventListener('push', (event) => {
  const said = read(event.data)
  const about = { body: said.text ?? '', data: said.url ?? '', ...(said.key ? { tag: said.key } : {}) }
  event.waitUntil(self.registration.showNotification(said.title ?? 'Paidan', about))
})

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(show(String(event.notification.data)))
})

interface Said {
  title?: string
  text?: string
  url?: string
  key?: string
}

function read(data: PushMessageData | null): Said {
  try {
    return (data?.json() as Said | null) ?? {}
  } catch {
    return {}
  }
}

/** The page that is open goes there, else one opens; never beyond the page's own addresses. */
async function show(url: string): Promise<void> {
  const { scope } = self.registration
  const target = url.startsWith(scope) ? url : scope
  const [open] = await self.clients.matchAll({ type: 'window' })
  if (!open) return void (await self.clients.openWindow(target))
  await open.focus()
  await open.navigate(target)
}

async function fromShell(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE)
  return (await cache.match(path)) ?? fetch(request)
}
