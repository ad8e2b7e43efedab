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

async function fromShell(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE)
  return (await cache.match(path)) ?? fetch(request)
}
